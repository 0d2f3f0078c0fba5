using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>A server on loopback that reads a request's head and then does with the connection as the test says, HTTP or not.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly Func<string, Stream, CancellationToken, Task> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;

    /// <param name="answer">Gets the head of the request and the connection, which is closed when it is done.</param>
    /// <param name="certificate">Null to do without TLS.</param>
    public RawServer(Func<string, Stream, CancellationToken, Task> answer, X509Certificate2? certificate = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}";

    /// <summary>Answers every request with these characters, a byte each.</summary>
    public static RawServer Saying(string answer) => new((_, stream, ct) => stream.WriteAsync(Encoding.Latin1.GetBytes(answer), ct).AsTask());

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_over.Token)));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _over.Token);
                stream = tls;
            }
            var head = new List<byte>();
            byte[] one = new byte[1];
            while (!Encoding.Latin1.GetString([.. head.TakeLast(4)]).Equals("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(one, _over.Token) == 0)
                {
                    return;
                }
                head.Add(one[0]);
            }
            await _answer(Encoding.Latin1.GetString([.. head]), stream, _over.Token);
        }
    }
}
