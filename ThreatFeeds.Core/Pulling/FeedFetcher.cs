using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Pulling;

/// <summary>The addresses of a name, or of an address in text; throws <see cref="SocketException"/> when there are none.</summary>
internal delegate Task<IPAddress[]> NameResolver(string host, CancellationToken cancellationToken);

/// <summary>
/// Fetches a body over HTTP without trusting the server: addresses are checked after name resolution, redirects are followed by hand
/// and checked again, time and size are limited, no cookies, no proxy but the configured one.
/// </summary>
public sealed class FeedFetcher : IDisposable
{
    /// <summary>Redirects followed.</summary>
    public const int MaxRedirects = 5;

    private readonly PullingOptions _options;
    private readonly AddressPolicy _policy;
    private readonly TimeProvider _time;
    private readonly NameResolver _resolve;
    private readonly BodySpool _spool;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly HttpMessageInvoker _http;

    public FeedFetcher(PullingOptions options, string dataDirectory, TimeProvider time)
        : this(options, dataDirectory, time, Dns.GetHostAddressesAsync)
    {
    }

    internal FeedFetcher(PullingOptions options, string dataDirectory, TimeProvider time, NameResolver resolve)
    {
        ArgumentNullException.ThrowIfNull(options);
        _resolve = resolve;
        _options = options;
        _policy = new AddressPolicy(options.Networks);
        _time = time;
        _spool = new BodySpool(dataDirectory, options, time);
        if (!string.IsNullOrEmpty(options.CaFile))
        {
            _authorities.ImportFromPemFile(options.CaFile);
        }
        _http = new HttpMessageInvoker(Handler(), disposeHandler: true);
    }

    /// <summary>Fetches the body, or throws <see cref="FetchException"/> with a reason for the operator.</summary>
    public async Task<FetchedBody> FetchAsync(FetchRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var total = new CancellationTokenSource(_options.TotalTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(total.Token, cancellationToken);
        Uri url = request.Url;
        try
        {
            bool sendHeaders = true;
            for (int redirects = 0; ; redirects++)
            {
                Check(url);
                using HttpResponseMessage answer = await SendAsync(url, request, sendHeaders, both.Token);
                if (Target(answer, url) is not { } next)
                {
                    return await ReceiveAsync(answer, url, sendHeaders || request.Headers.Count == 0 ? null : request.Url, both.Token);
                }
                if (redirects == MaxRedirects)
                {
                    throw new FetchException($"More than {MaxRedirects} redirects; the last one led to {next.Authority}.");
                }
                if (url.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
                {
                    throw new FetchException($"{url.Authority} redirects from https to {next.Scheme} ({next.Authority}), which is refused.");
                }
                // Once dropped they stay dropped: they were written for the first server.
                sendHeaders &= FeedOrigin.IsSameServer(url, next);
                url = next;
            }
        }
        catch (OperationCanceledException e) when (total.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FetchException($"{url.Authority} did not send everything within {_options.TotalTimeout.TotalSeconds:0} s (total time-out).", e);
        }
        catch (HttpRequestException e)
        {
            throw FetchException.From(e, url);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _spool.Sweep();
    }

    private static Uri? Target(HttpResponseMessage answer, Uri url)
    {
        if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308))
        {
            return null;
        }
        string? location = BodySpool.Header(answer, "Location");
        return Uri.TryCreate(url, location, out Uri? next)
            ? next
            : throw new FetchException($"{url.Authority} redirects without saying where to.") { Status = (int)answer.StatusCode };
    }

    private void Check(Uri url)
    {
        if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
        {
            throw new FetchException($"The scheme {url.Scheme} is not allowed; use https or http.");
        }
        if (url.UserInfo.Length > 0)
        {
            throw new FetchException("The URL holds user information, which is refused; use a header from a Secret.");
        }
        // Behind a proxy the connect callback sees the proxy's address only, so that at least literal addresses are checked here.
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out IPAddress? literal) && _policy.Refusal(literal) is { } reason)
        {
            throw new FetchException($"{reason}.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri url, FetchRequest request, bool sendHeaders, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, url);
        message.Headers.TryAddWithoutValidation("User-Agent", "ThreatFeeds/0.1");
        message.Headers.TryAddWithoutValidation("Accept", "*/*");
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip, br, deflate");
        Condition(message, "If-None-Match", request.ETag);
        Condition(message, "If-Modified-Since", request.LastModified);
        foreach (KeyValuePair<string, string> header in sendHeaders ? request.Headers : [])
        {
            message.Headers.Remove(header.Key);
            message.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
        using var firstByte = new CancellationTokenSource(_options.FirstByteTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(firstByte.Token, cancellationToken);
        try
        {
            return await _http.SendAsync(message, both.Token);
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException && !both.IsCancellationRequested)
        {
            throw new FetchException($"{url.Authority} could not be connected to within {_options.ConnectTimeout.TotalSeconds:0} s (connect time-out).", e);
        }
        catch (OperationCanceledException e) when (firstByte.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FetchException($"{url.Authority} did not begin to answer within {_options.FirstByteTimeout.TotalSeconds:0} s (first-byte time-out).", e);
        }
    }

    private static void Condition(HttpRequestMessage message, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <param name="droppedAfter">The URL that the headers were meant for, when they were not sent to this one.</param>
    private async Task<FetchedBody> ReceiveAsync(HttpResponseMessage answer, Uri url, Uri? droppedAfter, CancellationToken cancellationToken)
    {
        int status = (int)answer.StatusCode;
        return status switch
        {
            304 => new FetchedBody(status, null, "", BodySpool.Header(answer, "ETag"), BodySpool.Header(answer, "Last-Modified")),
            200 => await _spool.WriteAsync(answer, url, cancellationToken),
            _ => throw FetchException.ForStatus(status, url, droppedAfter),
        };
    }

    private SocketsHttpHandler Handler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !string.IsNullOrEmpty(_options.Proxy),
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = _options.ConnectTimeout,
            // A connection kept open would outlive the check of its address.
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = 64,
            ActivityHeadersPropagator = null,
        };
        if (handler.UseProxy)
        {
            handler.Proxy = new WebProxy(new Uri(_options.Proxy!));
        }
        else
        {
            handler.ConnectCallback = ConnectAsync;
        }
        if (_authorities.Count > 0)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = Trusts;
        }
        return handler;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Uri url = context.InitialRequestMessage.RequestUri!;
        IPAddress[] addresses = await _resolve(context.DnsEndPoint.Host, cancellationToken);
        Exception? failure = null;
        foreach (IPAddress address in addresses)
        {
            if (_policy.Refusal(address) is { } reason)
            {
                // One forbidden address among the answers is enough to distrust the name.
                throw new FetchException($"{url.IdnHost} must not be connected to: {reason}.");
            }
        }
        // To the addresses just judged and not to the name, which may have others by now.
        foreach (IPAddress address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                failure = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw failure ?? new FetchException($"The name {url.IdnHost} has no address in DNS.");
    }

    /// <summary>The system's judgement, or a chain that ends at an authority of Pulling:CaFile and names the host.</summary>
    private bool Trusts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf)
        {
            return false;
        }
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (chain is not null)
        {
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(e => e.Certificate).ToArray());
        }
        return own.Build(leaf);
    }
}
