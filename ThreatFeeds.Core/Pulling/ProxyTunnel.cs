using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace ThreatFeeds.Pulling;

/// <summary>Connections through the proxy of Pulling:Proxy, by CONNECT (RFC 9110, 9.3.6) whatever the scheme: only so the proxy goes to the address judged here, and the server is still asked by its name.</summary>
/// <param name="credentialsFile">Null for none.</param>
internal sealed class ProxyTunnel(Uri proxy, string? credentialsFile, ServerTrust trust)
{
    private const int MaxHead = 16 << 10;

    /// <summary>Opens a tunnel, or throws <see cref="FetchException"/>.</summary>
    /// <param name="target">Host and port to connect to.</param>
    /// <param name="shown">The server as messages name it.</param>
    public async Task<Stream> OpenAsync(string target, string shown, CancellationToken cancellationToken)
    {
        string authorization = credentialsFile is null ? "" : $"Proxy-Authorization: {ProxyCredentials.Authorization(credentialsFile)}\r\n";
        Stream? stream = null;
        try
        {
            stream = await ReachAsync(cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n"), cancellationToken);
            int status = await ReadStatusAsync(stream, cancellationToken);
            if (status is >= 200 and < 300)
            {
                (Stream tunnel, stream) = (stream, null);
                return tunnel;
            }
            throw new FetchException(status == 407
                ? "The proxy of Pulling:Proxy wants credentials (407), or other ones; put 'user:password' into the file of Pulling:ProxyCredentialsFile."
                : $"The proxy of Pulling:Proxy refused to connect to {shown} (it answered {status}); it is asked by CONNECT and by address, and must allow that for this port.");
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            // What .NET says of a socket holds the address.
            throw new FetchException(e is AuthenticationException
                ? $"The certificate of the proxy of Pulling:Proxy is not trusted: {e.Message} Add its authority with Pulling:CaFile."
                : $"The proxy of Pulling:Proxy cannot be reached or broke off ({((e as SocketException ?? e.InnerException) as SocketException)?.SocketErrorCode ?? SocketError.ConnectionReset}).", e);
        }
        finally
        {
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }
        }
    }

    private async Task<Stream> ReachAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(proxy.IdnHost, proxy.Port, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var plain = new NetworkStream(socket, ownsSocket: true);
        return proxy.Scheme == Uri.UriSchemeHttps ? await trust.SecureAsync(plain, proxy.IdnHost, cancellationToken) : plain;
    }

    /// <summary>Reads the head of the answer and nothing behind it: what follows is the server's.</summary>
    private static async Task<int> ReadStatusAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] head = new byte[MaxHead];
        int length = 0;
        while (true)
        {
            int read = length == MaxHead ? 0 : await stream.ReadAsync(head.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                throw new FetchException(length == MaxHead ? "The proxy of Pulling:Proxy answers with too long a head." : "The proxy of Pulling:Proxy closed the connection without an answer.");
            }
            length += read;
            int end = head.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                int status = Status(head.AsSpan(0, end));
                // Nobody has asked the server yet, so that these are not its words.
                return end + 4 == length || status is < 200 or >= 300 ? status : throw new FetchException("The proxy of Pulling:Proxy sends something behind its answer to CONNECT.");
            }
        }
    }

    private static int Status(ReadOnlySpan<byte> head) =>
        head.Length >= 12 && head.StartsWith("HTTP/1."u8) && head[8] == ' ' && int.TryParse(head[9..12], out int status) && status >= 100
            ? status
            : throw new FetchException("The proxy of Pulling:Proxy does not answer in HTTP.");
}
