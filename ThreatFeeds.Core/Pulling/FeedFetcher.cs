using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>
/// Fetches a body over HTTP without trusting the server: addresses are checked after name resolution, redirects are followed by hand
/// and checked again, time and size are limited, no cookies, no proxy but the configured one, and "not modified" counts only where it was asked.
/// </summary>
public sealed class FeedFetcher : IDisposable
{
    /// <summary>Redirects followed.</summary>
    public const int MaxRedirects = 5;

    /// <summary>Characters of a name in DNS (RFC 1035, 2.3.4, as text).</summary>
    private const int MaxHost = 253;

    private readonly PullingOptions _options;
    private readonly TimeProvider _time;
    private readonly BodySpool _spool;
    private readonly HttpMessageInvoker _http;

    public FeedFetcher(PullingOptions options, string dataDirectory, TimeProvider time, ILogger<FeedFetcher> log)
        : this(options, dataDirectory, time, log, Dns.GetHostAddressesAsync)
    {
    }

    internal FeedFetcher(PullingOptions options, string dataDirectory, TimeProvider time, ILogger log, NameResolver resolve)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _spool = new BodySpool(dataDirectory, options, time);
        var trust = new ServerTrust(options.CaFile);
        ProxyTunnel? proxy = string.IsNullOrEmpty(options.Proxy) ? null : new ProxyTunnel(new Uri(options.Proxy), options.ProxyCredentialsFile, trust);
        var connections = new JudgedConnections(new AddressPolicy(options.Networks), resolve, proxy, trust, log);
        _http = new HttpMessageInvoker(Handler(connections), disposeHandler: true);
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
            Check(url);
            bool sendHeaders = true;
            for (int redirects = 0; ; redirects++)
            {
                // They are of what this URL gave and of nothing else: a 304 from elsewhere would speak of another list.
                Validators condition = redirects == 0 ? new Validators(request.ETag, request.LastModified) : default;
                using HttpResponseMessage answer = await SendAsync(url, condition, sendHeaders ? request.Headers : [], both.Token);
                if (Target(answer, url) is not { } next)
                {
                    return await ReceiveAsync(answer, url, new Way(condition, redirects > 0, sendHeaders || request.Headers.Count == 0 ? null : request.Url), both.Token);
                }
                Check(next);
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
        return !string.IsNullOrEmpty(location) && Uri.TryCreate(url, location, out Uri? next)
            ? next
            : throw new FetchException($"{url.Authority} redirects without saying where to.") { Status = (int)answer.StatusCode };
    }

    /// <summary>What a URL must be before anything is done with it; a server may have written it.</summary>
    private static void Check(Uri url)
    {
        if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
        {
            throw new FetchException($"The scheme {VisibleText.Of(url.Scheme, VisibleText.Quoted)} is not allowed; use https or http.");
        }
        if (url.UserInfo.Length > 0)
        {
            throw new FetchException("The URL holds user information, which is refused; use a header from a Secret.");
        }
        if (!IsHost(url))
        {
            throw new FetchException($"'{VisibleText.Of(url.Host, VisibleText.Quoted)}' is no name or address of a host.");
        }
    }

    private static bool IsHost(Uri url)
    {
        try
        {
            return url.IdnHost.Length is > 0 and <= MaxHost;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri url, Validators condition, IReadOnlyList<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, url);
        message.Headers.TryAddWithoutValidation("User-Agent", "ThreatFeeds/0.1");
        message.Headers.TryAddWithoutValidation("Accept", "*/*");
        message.Headers.TryAddWithoutValidation("Accept-Encoding", ContentCoding.Accepted);
        if (condition.ETag is { } tag)
        {
            message.Headers.TryAddWithoutValidation("If-None-Match", tag);
        }
        if (condition.LastModified is { } date)
        {
            message.Headers.TryAddWithoutValidation("If-Modified-Since", date);
        }
        foreach (KeyValuePair<string, string> header in headers)
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

    /// <param name="Condition">What was sent with the last request.</param>
    /// <param name="DroppedAfter">The URL that the headers were meant for, when they were not sent to the last one.</param>
    private readonly record struct Way(Validators Condition, bool Redirected, Uri? DroppedAfter);

    private async Task<FetchedBody> ReceiveAsync(HttpResponseMessage answer, Uri url, Way way, CancellationToken cancellationToken)
    {
        int status = (int)answer.StatusCode;
        Validators validators = way.Redirected ? default : new Validators(BodySpool.Header(answer, "ETag"), BodySpool.Header(answer, "Last-Modified"));
        return status switch
        {
            304 when way.Condition.Any => new FetchedBody(status, null, "", validators),
            200 => await _spool.WriteAsync(answer, url, validators, cancellationToken),
            _ => throw FetchException.ForStatus(status, url, way.DroppedAfter),
        };
    }

    private SocketsHttpHandler Handler(JudgedConnections connections) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // Where connections are made names are judged, the proxy is asked and certificates are checked.
        UseProxy = false,
        ConnectCallback = connections.ConnectAsync,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = _options.ConnectTimeout,
        // A connection kept open would outlive the check of its address.
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseHeadersLength = 64,
        // Strangers learn nothing of our traces; the request is a span of ours all the same.
        ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
    };
}
