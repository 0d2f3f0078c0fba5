using System.Buffers;
using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>One bound in bytes for the bodies of all requests under way, and a time for each, whatever route they go to.</summary>
public sealed class BodyBudgetTests
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private const string Document = "/elasticsearch/.tigera.ipset.cluster/_doc/f";
    private const string Manifest = """{"apiVersion":"projectcalico.org/v3","kind":"GlobalThreatFeed","metadata":{"name":"f"},"spec":{"content":"IPSet"}}""";
    private const string Record = """{"qname":"a.example","end_time":1}""";

    /// <summary>Every call that reads a body: how it is made and how its errors look.</summary>
    public static TheoryData<string, string, string, string, string> Calls { get; } = new()
    {
        { "POST", "/v1/logs/dns", "application/x-ndjson", Record, "problem" },
        { "POST", "/v1/logs/flows", "application/x-ndjson", Record, "problem" },
        { "POST", "/v1/feeds/preview", "application/json", Manifest, "problem" },
        { "PATCH", "/v1/alerts", "application/json", """{"ids":["a"],"change":{"state":"open"}}""", "problem" },
        { "PATCH", "/v1/alerts/a", "application/json", """{"state":"open"}""", "problem" },
        { "POST", Feeds, "application/json", Manifest, "status" },
        { "PUT", Feeds + "/f", "application/yaml", Manifest, "status" },
        { "PATCH", Feeds + "/f", "application/merge-patch+json", """{"spec":{"description":"x"}}""", "status" },
        { "DELETE", Feeds + "/f", "application/json", """{"kind":"DeleteOptions"}""", "status" },
        { "PUT", Document, "application/json", """{"ips":["192.0.2.1"]}""", "elastic" },
        { "POST", "/elasticsearch/.tigera.ipset.cluster/_update/f", "application/json", """{"doc":{"ips":["192.0.2.1"]},"doc_as_upsert":true}""", "elastic" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Beyond_the_bound_a_call_is_told_to_come_again_and_below_it_nothing_stays_held(string method, string path, string type, string body, string shape)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        BodyBudget budget = app.Services.GetRequiredService<BodyBudget>();
        Assert.Equal(256L << 20, budget.Most);
        long others = budget.Most - 100;
        Assert.True(budget.TryTake(others));
        using (HttpResponseMessage full = await app.SendAsync(new HttpMethod(method), path, body, type))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
            Assert.True(full.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            AssertShape(shape, 503, "as much memory as they may", await full.Content.ReadAsStringAsync());
        }
        Assert.Equal(others, budget.Held);
        budget.Return(others);
        using HttpResponseMessage there = await app.SendAsync(new HttpMethod(method), path, body, type);
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, there.StatusCode);
        await EmptyAsync(budget);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_does_not_come_in_its_time_is_refused(string method, string path, string type, string body, string shape)
    {
        var clock = new ManualClock();
        await using AppFixture app = await AppFixture.StartAsync(clock, null);
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        using RawCall call = await RawCall.BeginAsync(app.Address, method, path, type, bytes[..^1], bytes.Length);
        Task<string> answer = call.AnswerAsync();
        DateTimeOffset start = clock.GetUtcNow();
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(answer.IsCompleted));
        string text = await answer;
        Assert.StartsWith("HTTP/1.1 408", text, StringComparison.Ordinal);
        AssertShape(shape, 408, "too slowly", text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)]);
        Assert.True(clock.GetUtcNow() - start >= new BodyOptions().Grace, "it was given up too early");
        await EmptyAsync(app.Services.GetRequiredService<BodyBudget>());
    }

    [Fact]
    public async Task A_body_that_pauses_for_less_than_its_grace_is_taken()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        byte[] bytes = Encoding.UTF8.GetBytes(Record);
        using RawCall call = await RawCall.BeginAsync(app.Address, "POST", "/v1/logs/dns", "application/x-ndjson", bytes[..^1], bytes.Length);
        // The server measures by the machine's clock and has no other: longer than the 5 s after which it would give up by itself.
        await Task.Delay(TimeSpan.FromSeconds(7), TimeProvider.System);
        await call.SendAsync(bytes[^1..]);
        Assert.StartsWith("HTTP/1.1 200", await call.AnswerAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_packed_body_holds_unpacked_counts_until_its_sender_goes_away()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        BodyBudget budget = app.Services.GetRequiredService<BodyBudget>();
        byte[] packed = Flushed(new string('\n', 5 << 20));
        using (await RawCall.BeginAsync(app.Address, "POST", "/v1/logs/dns", "application/x-ndjson", packed, packed.Length + 1000, "gzip"))
        {
            await UntilAsync(() => budget.Held >= 5 << 20, () => $"{budget.Held} bytes are held");
            Assert.InRange(budget.Held, 5 << 20, (5 << 20) + (128 << 10));
        }
        await EmptyAsync(budget);
    }

    [Theory]
    [InlineData("POST", "/v1/logs/dns", "gzip", "no gzip", 400)]
    [InlineData("POST", "/v1/logs/dns", "br", "x", 415)]
    [InlineData("POST", "/v1/logs/dns", "", "nonsense", 200)]
    [InlineData("POST", "/v1/logs/dns?format=none", "", Record, 400)]
    [InlineData("PUT", Document, "", "{\"ips\":[1]}", 400)]
    [InlineData("PUT", Document, "", "{\"ips\":", 400)]
    [InlineData("POST", Feeds, "", "{", 400)]
    [InlineData("POST", "/v1/nothing", "", "{}", 405)]
    public async Task A_refused_body_gives_back_what_it_held(string method, string path, string encoding, string body, int status)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (encoding.Length > 0)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = content };
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        await EmptyAsync(app.Services.GetRequiredService<BodyBudget>());
    }

    [Fact]
    public async Task Of_a_log_body_its_lines_and_the_copy_that_is_written_count_as_well()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        BodyBudget budget = app.Services.GetRequiredService<BodyBudget>();
        string[] lines = [.. Enumerable.Repeat(Record, 20_000)];
        byte[] body = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        long beside = 0;
        Ingestion taken = await app.Services.GetRequiredService<LogIngestion>().IngestAsync(
            LogKind.Dns, LogReaders.DefaultFormat, new ReadOnlySequence<byte>(body), null, Actor.Local, default, bytes => beside += bytes);
        Assert.Equal(lines.Length, taken.Accepted);
        // Sixteen bytes a line in a list that doubles, and four beside each in the frame.
        Assert.InRange(beside, body.Length + (lines.Length * (16 + 4L)), body.Length + (lines.Length * (64 + 4L)) + (64 << 10));

        long others = budget.Most - body.Length - beside + 1;
        Assert.True(budget.TryTake(others));
        using (HttpResponseMessage full = await app.SendAsync(HttpMethod.Post, "/v1/logs/dns", Encoding.UTF8.GetString(body), "application/x-ndjson"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
        }
        Assert.Equal(others, budget.Held);
        budget.Return(others);
        using HttpResponseMessage there = await app.SendAsync(HttpMethod.Post, "/v1/logs/dns", Encoding.UTF8.GetString(body), "application/x-ndjson");
        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        await EmptyAsync(budget);
    }

    [Fact]
    public async Task A_log_body_that_could_never_be_held_is_too_large_and_not_asked_for_again()
    {
        await using AppFixture app = await AppFixture.StartAsync("Http:BodiesMaxBytes=134217728");
        using var body = new ByteArrayContent(Packed(string.Concat(Enumerable.Repeat(Record + "\n", (60 << 20) / (Record.Length + 1)))));
        body.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage answer = await app.Client.PostAsync("/v1/logs/dns", body);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        AssertShape("problem", 413, "more than Http:BodiesMaxBytes allows", await answer.Content.ReadAsStringAsync());
        await EmptyAsync(app.Services.GetRequiredService<BodyBudget>());
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_body_that_its_sender_breaks_off_is_no_error_of_ours(string method, string path, string type, string body, string shape)
    {
        using var lines = new LogLines();
        await using AppFixture app = await AppFixture.StartAsync(null, null, services => services.AddSingleton<ILoggerProvider>(lines));
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        using (RawCall call = await RawCall.BeginAsync(app.Address, method, path, type, bytes[..^1], bytes.Length))
        {
            // Half of the connection: he still hears what is said.
            call.EndSending();
            string text = "";
            try
            {
                text = await call.AnswerAsync();
            }
            catch (IOException)
            {
                // The server may also just go.
            }
            if (text.Length > 0)
            {
                Assert.StartsWith("HTTP/1.1 400", text, StringComparison.Ordinal);
                AssertShape(shape, 400, "ended before", text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)]);
            }
        }
        using (RawCall call = await RawCall.BeginAsync(app.Address, method, path, type, bytes[..^1], bytes.Length))
        {
            call.Reset();
        }
        // It goes on with others, and by then the two are over.
        using HttpResponseMessage after = await app.Client.GetAsync("/livez");
        await EmptyAsync(app.Services.GetRequiredService<BodyBudget>());
        await app.StopAsync();
        Assert.DoesNotContain(lines.All, l => l.Contains("failed with", StringComparison.Ordinal) || l.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_that_could_never_fit_is_too_large_and_not_asked_for_again()
    {
        await using AppFixture app = await AppFixture.StartAsync("Http:BodiesMaxBytes=134217728");
        // Documents are in memory twice.
        using var document = new ByteArrayContent(Flushed("""{"ips":["192.0.2.1"]}""".PadRight(65 << 20)));
        document.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage answer = await app.Client.PutAsync(Document, document);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        AssertShape("elastic", 413, "longer than 67043328 bytes", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Many_takers_at_once_never_take_more_than_there_is_and_leave_nothing()
    {
        var budget = new BodyBudget(1000);
        int full = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                using var held = new HeldBytes(budget);
                try
                {
                    held.Take(100 + n);
                    held.Take(300);
                    Assert.InRange(budget.Held, 400, 1000);
                }
                catch (BudgetFullException)
                {
                    Interlocked.Increment(ref full);
                }
            }
        })));
        Assert.Equal(0, budget.Held);
        Assert.False(budget.TryTake(1001));
        Assert.True(budget.TryTake(1000));
        Assert.False(budget.TryTake(1));
    }

    private static void AssertShape(string shape, int status, string words, string text) => Assert.Contains(words, ErrorShapes.Words(shape, status, text), StringComparison.Ordinal);

    private static Task EmptyAsync(BodyBudget budget) => UntilAsync(() => budget.Held == 0, () => $"{budget.Held} bytes are still held");

    private static async Task UntilAsync(Func<bool> holds, Func<string> otherwise)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), otherwise());
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }
        return packed.ToArray();
    }

    /// <summary>Gzip that can be unpacked to its last byte and is not at its end.</summary>
    private static byte[] Flushed(string text)
    {
        using var packed = new MemoryStream();
        using var zip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true);
        zip.Write(Encoding.UTF8.GetBytes(text));
        zip.Flush();
        return packed.ToArray();
    }
}
