using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace ThreatFeeds.Tests.Support;

/// <summary>The way to a PostgreSQL, through a loopback port that a test can close and open: what a process sees of a server that goes away.</summary>
internal sealed class PostgresWay : IAsyncDisposable
{
    private readonly EndPoint _server;
    private readonly int _port;
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly List<Task> _running = [];
    private Socket _listener;

    public PostgresWay(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        _server = server.Host!.StartsWith('/')
            ? new UnixDomainSocketEndPoint(Path.Combine(server.Host, $".s.PGSQL.{server.Port}"))
            : new DnsEndPoint(server.Host, server.Port);
        _listener = Listen(0);
        _port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        Accept();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = _port, Timeout = 5 }.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>Breaks every connection and refuses new ones.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _listener.Dispose();
            _open.ForEach(s => s.Dispose());
            _open.Clear();
        }
    }

    public void Open()
    {
        _listener = Listen(_port);
        Accept();
    }

    public async ValueTask DisposeAsync()
    {
        Close();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        return listener;
    }

    private void Accept() => Start(AcceptAsync(_listener));

    private void Start(Task task)
    {
        lock (_lock)
        {
            _running.Add(task);
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptAsync();
                var server = new Socket(_server is UnixDomainSocketEndPoint ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Unspecified);
                lock (_lock)
                {
                    _open.AddRange([client, server]);
                }
                await server.ConnectAsync(_server);
                Start(CopyAsync(client, server));
                Start(CopyAsync(server, client));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[8192];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                await to.SendAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
        from.Dispose();
        to.Dispose();
    }
}
