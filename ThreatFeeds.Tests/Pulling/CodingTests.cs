using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>What a body's Content-Encoding may say, and what becomes of one that is broken.</summary>
public sealed class CodingTests : FetchingTest
{
    [Theory]
    [InlineData("gzip, gzip", "gzip, gzip")]
    [InlineData("br,br", "br,br")]
    [InlineData("identity, gzip", "identity, gzip")]
    public async Task A_body_in_more_than_one_coding_is_refused_and_the_codings_named(string codings, string named)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, codings, Pack("gzip", Pack("gzip", "bad.example\n"))));
        FetchException e = await RefusedAsync(server.Url);
        Assert.True(e.BodyUnusable);
        Assert.Contains($"({named})", e.Message);
        Assert.Contains("at most one", e.Message);
    }

    [Fact]
    public async Task Twenty_thousand_codings_are_refused_without_being_set_up()
    {
        string many = string.Join(',', Enumerable.Repeat("br", 20_000));
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, many, [1]));
        FeedFetcher fetcher = Fetcher();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(new FetchRequest(new Uri(server.Url), []), default).WaitAsync(Bound));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 50_000_000);
        Assert.Contains("at most one", e.Message);
        Assert.InRange(e.Message.Length, 0, 1000);
    }

    [Theory]
    [InlineData("zstd", "zstd")]
    [InlineData("gzip;q=1", "gzip;q=1")]
    [InlineData("\"gzip\"", "\"gzip\"")]
    public async Task A_coding_that_was_not_asked_for_is_named(string coding, string named)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, Pack("gzip", "bad.example\n")));
        FetchException e = await RefusedAsync(server.Url);
        Assert.Contains(named, e.Message);
        Assert.Contains("not asked for", e.Message);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("")]
    public async Task No_coding_is_no_coding(string coding)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, "bad.example\n"u8.ToArray()));
        await using FetchedBody body = await FetchAsync(server.Url);
        Assert.Equal(12, body.Bytes);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Whatever_is_wrong_inside_a_packed_body_makes_it_unusable_with_a_reason(string coding)
    {
        byte[] whole = Pack(coding.ToLowerInvariant(), string.Concat(Enumerable.Range(0, 2000).Select(i => $"name{i * 7919}.example\n")));
        byte[] body = whole;
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, body));
        var broken = new List<byte[]> { "this is no packed body at all"u8.ToArray(), new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, whole[..^1], whole[..5] };
        for (int at = 0; at < whole.Length - 8; at += whole.Length / 40)
        {
            byte[] bent = [.. whole];
            bent[at] ^= 0x55;
            broken.Add(bent);
        }
        FeedFetcher fetcher = Fetcher();
        int refused = 0;
        foreach (byte[] one in broken)
        {
            body = one;
            try
            {
                // Brotli has no checksum, so that some damage gives other bytes.
                await using FetchedBody read = await fetcher.FetchAsync(new FetchRequest(new Uri(server.Url), []), default).WaitAsync(Bound);
            }
            catch (FetchException e)
            {
                refused++;
                Assert.True(e.BodyUnusable);
                Assert.Contains("cannot be unpacked", e.Message);
                Assert.Contains(coding, e.Message);
            }
        }
        Assert.InRange(refused, coding == "br" ? 4 : broken.Count - 1, broken.Count);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_body_that_unpacks_to_nothing_without_end_is_stopped_by_the_time_given_to_it(string coding)
    {
        // Parts that say nothing: members of no bytes, metadata to be skipped, stored blocks of length 0.
        byte[] begin = coding == "deflate" ? [0x78, 0x01] : coding == "br" ? [0x0C] : [];
        byte[] nothing = coding switch
        {
            "gzip" => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            "br" => [0x06],
            _ => [0, 0, 0, 0xFF, 0xFF],
        };
        byte[] parts = [.. Enumerable.Repeat(nothing, 60_000 / nothing.Length).SelectMany(m => m)];
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            c.Response.Headers.ContentEncoding = coding;
            await c.Response.Body.WriteAsync(begin);
            while (!c.RequestAborted.IsCancellationRequested)
            {
                await c.Response.Body.WriteAsync(parts, c.RequestAborted);
            }
        });
        FetchException e = await RefusedAsync(server.Url, o => (o.TotalTimeout, o.MaxBytes) = (TimeSpan.FromSeconds(1), long.MaxValue));
        Assert.Contains("total time-out", e.Message);
    }
}
