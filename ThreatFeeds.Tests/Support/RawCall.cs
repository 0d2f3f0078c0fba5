using System.Net.Sockets;
using System.Text;

namespace ThreatFeeds.Tests.Support;

/// <summary>A request whose body is sent piece by piece, over a connection of its own.</summary>
internal sealed class RawCall : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client = new();
    private NetworkStream _stream = null!;

    /// <summary>Sends the head and the beginning of a body that is said to be <paramref name="length"/> long.</summary>
    public static async Task<RawCall> BeginAsync(Uri address, string method, string path, string type, byte[] begin, long length, string encoding = "")
    {
        var call = new RawCall();
        await call._client.ConnectAsync(address.Host, address.Port);
        call._stream = call._client.GetStream();
        string head = $"{method} {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n{(encoding.Length > 0 ? $"Content-Encoding: {encoding}\r\n" : "")}\r\n";
        await call.SendAsync(Encoding.ASCII.GetBytes(head));
        await call.SendAsync(begin);
        return call;
    }

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    /// <summary>The answer as it came, head and body, which is sent in chunks.</summary>
    public async Task<string> AnswerAsync()
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[16 << 10];
        using var limit = new CancellationTokenSource(s_bound);
        while (!text.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        {
            int read = await _stream.ReadAsync(buffer, limit.Token);
            if (read == 0)
            {
                break;
            }
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    /// <summary>Sends no more, and still hears.</summary>
    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Goes away so that the other side's next read fails.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(true, 0);
        _client.Close();
    }

    public void Dispose() => _client.Dispose();
}
