using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>How the bodies of requests are read, and what they are bounded by.</summary>
public sealed class RequestBodyTests
{
    private const int Most = 300_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData((64 << 10) - 1)]
    [InlineData(64 << 10)]
    [InlineData((64 << 10) + 1)]
    [InlineData(Most)]
    public async Task A_body_within_its_bound_is_whole_however_it_comes(int length)
    {
        byte[] bytes = Bytes(length);
        foreach (bool announced in new[] { true, false })
        {
            foreach (int part in new[] { 700, 1 << 20 })
            {
                RequestBody plain = await ReadAsync(bytes, part, announced, "");
                Assert.Equal(BodyOutcome.Whole, plain.Outcome);
                Assert.True(plain.Bytes.ToArray().AsSpan().SequenceEqual(bytes));
                Assert.True(plain.InOnePiece().Span.SequenceEqual(bytes));
                RequestBody packed = await ReadAsync(Gzip(bytes), part, announced, "gzip");
                Assert.Equal(BodyOutcome.Whole, packed.Outcome);
                Assert.True(packed.InOnePiece().Span.SequenceEqual(bytes));
            }
        }
    }

    [Fact]
    public async Task A_body_over_its_bound_is_too_long_as_it_comes_and_unpacked()
    {
        byte[] bytes = Bytes(Most + 1);
        Assert.Equal(BodyOutcome.TooLong, (await ReadAsync(bytes, 700, true, "")).Outcome);
        Assert.Equal(BodyOutcome.TooLong, (await ReadAsync(bytes, 700, false, "")).Outcome);
        Assert.Equal(BodyOutcome.TooLong, (await ReadAsync(Gzip(bytes), 700, true, "gzip")).Outcome);
    }

    [Fact]
    public async Task Each_copy_that_a_call_makes_of_a_body_counts_as_held_until_it_ends()
    {
        var budget = new BodyBudget(1L << 30);
        var context = new DefaultHttpContext();
        using (var held = new HeldBytes(budget))
        {
            await using var body = new IncomingBody(PipeReader.Create(new Parts(Bytes(10_000), 700)), held, new BodyOptions(), TimeProvider.System);
            context.Request.Body = body;
            context.Request.ContentLength = 10_000;
            Assert.Equal(BodyOutcome.Whole, (await RequestBody.ReadAsync(context.Request, Most, CancellationToken.None, copies: 5)).Outcome);
            // The block that it was read into has room for one byte more.
            Assert.Equal(5 * 10_000 + 1, budget.Held);
        }
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task A_bomb_is_given_up_at_the_bound()
    {
        byte[] bomb = Gzip(new byte[200 << 20]);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(BodyOutcome.TooLong, (await ReadAsync(bomb, 1 << 20, true, "gzip")).Outcome);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 100 << 20);
    }

    [Fact]
    public async Task What_is_not_gzip_whole_and_alone_is_said_to_be_no_gzip()
    {
        byte[] packed = Gzip(Bytes(10_000));
        foreach (byte[] broken in new[] { packed[..^1], packed[..(packed.Length / 2)], [.. packed, 1, 2, 3], "plain text"u8.ToArray() })
        {
            Assert.Equal(BodyOutcome.NotGzip, (await ReadAsync(broken, 700, true, "gzip")).Outcome);
        }
        RequestBody unknown = await ReadAsync(packed, 700, true, "br");
        Assert.Equal((BodyOutcome.UnknownEncoding, "br"), (unknown.Outcome, unknown.Encoding));
    }

    [Fact]
    public async Task A_call_that_sets_no_bound_of_its_own_takes_1_MiB()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        Assert.Equal(1 << 20, app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MaxRequestBodySize);
        foreach ((int length, HttpStatusCode status) in new[] { (1 << 20, HttpStatusCode.NotFound), ((1 << 20) + 1, HttpStatusCode.RequestEntityTooLarge) })
        {
            const string frame = """{"note":""}""";
            using HttpResponseMessage answer = await app.SendAsync(HttpMethod.Patch, "/v1/alerts/none", frame.PadRight(length), "application/json");
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_document_may_be_larger_than_a_manifest_and_comes_packed()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        const string path = "/elasticsearch/tigera_secure_ee_threatfeeds_ipset.cluster./_doc/f";
        string large = """{"ips":["192.0.2.1"]}""".PadRight(3 << 20);
        using HttpResponseMessage plain = await app.SendAsync(HttpMethod.Put, path, large, "application/json");
        Assert.Equal(HttpStatusCode.Created, plain.StatusCode);
        using var cut = new ByteArrayContent(Gzip(System.Text.Encoding.UTF8.GetBytes(large))[..^5]);
        cut.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage packed = await app.Client.PutAsync(path, cut);
        Assert.Equal(HttpStatusCode.BadRequest, packed.StatusCode);
        Assert.Equal("parse_exception", JsonNode.Parse(await packed.Content.ReadAsStringAsync())!["error"]!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("PUT", "/elasticsearch/tigera_secure_ee_threatfeeds_ipset.cluster./_doc/f", "{\n \"\\ud800\":[]}", 400, "line 2, byte 2")]
    [InlineData("PUT", "/elasticsearch/tigera_secure_ee_threatfeeds_ipset.cluster./_doc/f", "{\"ips\":[\"192.0.2.1\",\n\"\\udc00\"]}", 400, "line 2, byte 1")]
    [InlineData("POST", "/elasticsearch/tigera_secure_ee_threatfeeds_ipset.cluster./_update/f", "{\"doc\":{\"\\ud800\":1}}", 400, "line 1, byte 9")]
    [InlineData("POST", "/apis/projectcalico.org/v3/globalthreatfeeds", "{\"kind\":\"GlobalThreatFeed\",\n\"metadata\":{\"name\":\"\\ud800\"}}", 400, "line 2, column 20")]
    [InlineData("POST", "/apis/projectcalico.org/v3/globalthreatfeeds", "{\"kind\":\"GlobalThreatFeed\",\n\"\\udfff\":1}", 400, "line 2, column 1")]
    [InlineData("POST", "/apis/projectcalico.org/v3/globalthreatfeeds", "kind: GlobalThreatFeed\nmetadata: {name: \"a\\ud800\"}", 400, "line 2, column")]
    [InlineData("POST", "/v1/feeds/preview", "{\"kind\":\"GlobalThreatFeed\",\"spec\":{\"description\":\"\\ud800x\"}}", 400, "line 1, column")]
    [InlineData("PATCH", "/apis/projectcalico.org/v3/globalthreatfeeds/f", "{\"metadata\":{\"annotations\":{\"a\":\"\\ud800\"}}}", 400, "line 1, column")]
    [InlineData("PATCH", "/v1/alerts/none", "{\"note\":\"\\ud800\"}", 400, "")]
    [InlineData("PATCH", "/v1/alerts/none", "{\"\\ud800\":\"x\"}", 400, "")]
    public async Task Half_a_surrogate_pair_is_the_senders_fault_and_has_its_place(string method, string path, string body, int status, string place)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        string type = path.StartsWith("/apis", StringComparison.Ordinal) && method == "PATCH" ? "application/merge-patch+json" : body.StartsWith('{') ? "application/json" : "application/yaml";
        using HttpResponseMessage answer = await app.SendAsync(new HttpMethod(method), path, body, type);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode}: {text}");
        Assert.Contains(place, text, StringComparison.Ordinal);
    }

    private static async Task<RequestBody> ReadAsync(byte[] bytes, int part, bool announced, string encoding)
    {
        var context = new DefaultHttpContext();
        using var held = new HeldBytes(new BodyBudget(1L << 30));
        await using var body = new IncomingBody(PipeReader.Create(new Parts(bytes, part)), held, new BodyOptions(), TimeProvider.System);
        context.Request.Body = body;
        context.Request.ContentLength = announced ? bytes.Length : null;
        context.Request.Headers.ContentEncoding = encoding;
        return await RequestBody.ReadAsync(context.Request, Most, CancellationToken.None);
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)('a' + i / 1000 % 26);
        }
        return bytes;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(bytes);
        }
        return packed.ToArray();
    }

    /// <summary>Gives a few bytes a read.</summary>
    private sealed class Parts(byte[] bytes, int part) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, part)], cancellationToken);
    }
}
