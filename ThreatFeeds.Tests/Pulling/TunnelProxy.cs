using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>A small HTTP proxy on loopback: it makes tunnels and nothing else, and remembers what it was asked.</summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly RawServer _server;

    public TunnelProxy(X509Certificate2? certificate = null) => _server = new RawServer(ServeAsync, certificate);

    public string Url => _server.Url;

    /// <summary>Heads of the requests as they came.</summary>
    public ConcurrentQueue<string> Heads { get; } = new();

    /// <summary>Where it was asked to connect to.</summary>
    public IEnumerable<string> Targets => Heads.Select(h => h.Split(' ')[1]);

    /// <summary>The value of Proxy-Authorization without which it answers 407; null to ask for none.</summary>
    public string? Wanted { get; set; }

    /// <summary>What it answers instead of making a tunnel to this target; null to make it.</summary>
    public Func<string, string?> Refuses { get; set; } = _ => null;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(string head, Stream client, CancellationToken cancellationToken)
    {
        Heads.Enqueue(head);
        string[] words = head.Split(' ', '\r');
        string? refusal = words[0] != "CONNECT" ? "HTTP/1.1 405 Method Not Allowed\r\n\r\n"
            : Wanted is not null && !head.Contains($"\r\nProxy-Authorization: {Wanted}\r\n", StringComparison.Ordinal) ? "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
            : Refuses(words[1]);
        if (refusal is not null)
        {
            await client.WriteAsync(Encoding.Latin1.GetBytes(refusal), cancellationToken);
            return;
        }
        using var server = new TcpClient();
        // Every name is loopback for it: what matters is whether it is asked.
        await server.ConnectAsync("127.0.0.1", int.Parse(words[1].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture), cancellationToken);
        await client.WriteAsync("HTTP/1.1 200 Connection established\r\nX-By: test\r\n\r\n"u8.ToArray(), cancellationToken);
        NetworkStream there = server.GetStream();
        await await Task.WhenAny(client.CopyToAsync(there, cancellationToken), there.CopyToAsync(client, cancellationToken));
    }
}
