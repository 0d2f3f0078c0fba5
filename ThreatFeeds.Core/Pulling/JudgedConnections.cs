using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>The addresses of a name; throws <see cref="SocketException"/> when there are none.</summary>
internal delegate Task<IPAddress[]> NameResolver(string host, CancellationToken cancellationToken);

/// <summary>Connects to the server of a URL, straight or through the proxy, and only to addresses that were judged just before.</summary>
/// <param name="proxy">Null to connect straight.</param>
internal sealed class JudgedConnections(AddressPolicy policy, NameResolver resolve, ProxyTunnel? proxy, ServerTrust trust, ILogger log)
{
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Uri url = context.InitialRequestMessage.RequestUri!;
        Stream connection = await OpenAsync(url, cancellationToken);
        // Not left to the handler: given a connection with TLS, as one to a proxy may be, it takes that for the server's.
        return url.Scheme == Uri.UriSchemeHttps ? await trust.SecureAsync(connection, url.IdnHost, cancellationToken) : connection;
    }

    private async Task<Stream> OpenAsync(Uri url, CancellationToken cancellationToken)
    {
        string host = url.IdnHost;
        IPAddress[]? addresses = await ResolveAsync(host, cancellationToken);
        if (addresses is null)
        {
            return await ByNameAsync(url, cancellationToken);
        }
        foreach (IPAddress address in addresses)
        {
            if (policy.Refusal(address) is { } reason)
            {
                // One forbidden address among the answers is enough to distrust the name. Which it is must not be learnt by asking for a name.
                PullingLog.AddressRefused(log, VisibleText.Of(host, VisibleText.Quoted), address, reason);
                throw new FetchException($"{host} must not be connected to: its address is {reason}.");
            }
        }
        // To the addresses just judged and not to the name, which may have others by now.
        Exception? failure = null;
        foreach (IPAddress address in addresses)
        {
            try
            {
                var to = new IPEndPoint(address, url.Port);
                return proxy is null ? await ReachAsync(to, cancellationToken) : await proxy.OpenAsync(to.ToString(), url.Authority, cancellationToken);
            }
            catch (Exception e) when (e is SocketException or FetchException)
            {
                failure = e;
            }
        }
        throw failure ?? new FetchException($"The name {host} has no address in DNS.");
    }

    /// <summary>Null where only the proxy may know the name.</summary>
    private async Task<IPAddress[]?> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal))
        {
            return [literal];
        }
        try
        {
            return await resolve(host, cancellationToken);
        }
        catch (SocketException) when (proxy is not null)
        {
            return null;
        }
    }

    private async Task<Stream> ByNameAsync(Uri url, CancellationToken cancellationToken) => InnerNames.Refusal(url.IdnHost) is { } reason
        ? throw new FetchException($"{url.IdnHost} has no address in DNS here, and is not handed to the proxy of Pulling:Proxy by name: {reason}.")
        : await proxy!.OpenAsync($"{url.IdnHost}:{url.Port}", url.Authority, cancellationToken);

    private static async Task<Stream> ReachAsync(IPEndPoint to, CancellationToken cancellationToken)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
