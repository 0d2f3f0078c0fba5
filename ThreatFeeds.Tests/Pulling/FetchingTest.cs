using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>A folder, fetchers that may reach loopback, and answers that servers of these tests give. Nothing may be left in the folder at the end.</summary>
public abstract class FetchingTest : IDisposable
{
    /// <summary>No wait of this room is longer, also when what it waits for is broken.</summary>
    internal static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly List<FeedFetcher> _fetchers = [];

    private protected TemporaryFolder Folder { get; } = new();

    private protected LogLines Log { get; } = new();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        _fetchers.ForEach(f => f.Dispose());
        Assert.Empty(Directory.EnumerateFiles(Folder.Path, "*.body", SearchOption.AllDirectories));
        Folder.Dispose();
        Log.Dispose();
    }

    private protected FeedFetcher Fetcher(Action<PullingOptions>? change = null, NameResolver? resolve = null)
    {
        var options = new PullingOptions();
        options.AllowedNetworks.Add("127.0.0.0/8");
        change?.Invoke(options);
        var fetcher = new FeedFetcher(options, Folder.Path, TimeProvider.System, Log, resolve ?? Dns.GetHostAddressesAsync);
        _fetchers.Add(fetcher);
        return fetcher;
    }

    private protected Task<FetchedBody> FetchAsync(string url, Action<PullingOptions>? change = null, NameResolver? resolve = null) =>
        Fetcher(change, resolve).FetchAsync(new FetchRequest(new Uri(url), []), default).WaitAsync(Bound);

    private protected Task<FetchException> RefusedAsync(string url, Action<PullingOptions>? change = null, NameResolver? resolve = null) =>
        Assert.ThrowsAsync<FetchException>(() => FetchAsync(url, change, resolve));

    /// <summary>Answers every name with these addresses, as DNS does.</summary>
    private protected static NameResolver Resolving(params string[] addresses) => (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray());

    private protected static Task RedirectAsync(HttpContext context, string to)
    {
        context.Response.StatusCode = 302;
        context.Response.Headers.Location = to;
        return Task.CompletedTask;
    }

    private protected static async Task WriteAsync(HttpContext context, string coding, byte[] body)
    {
        context.Response.Headers.ContentEncoding = coding;
        await context.Response.Body.WriteAsync(body);
    }

    private protected static byte[] Pack(string coding, string text) => Pack(coding, Encoding.UTF8.GetBytes(text));

    private protected static byte[] Pack(string coding, byte[] body)
    {
        var to = new MemoryStream();
        using (Stream pack = coding switch
        {
            "gzip" => new GZipStream(to, CompressionMode.Compress),
            "br" => new BrotliStream(to, CompressionLevel.Fastest),
            _ => new ZLibStream(to, CompressionMode.Compress),
        })
        {
            pack.Write(body);
        }
        return to.ToArray();
    }
}
