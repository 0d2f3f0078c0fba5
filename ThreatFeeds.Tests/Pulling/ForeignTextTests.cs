using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Pushing;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>Text that a server or a pusher chose reaches runs, conditions, previews and logs short and visible.</summary>
public sealed class ForeignTextTests : FetchingTest, IAsyncLifetime
{
    private const string Bad = "a\r\n\u001b[31mwarn: \u202eelif\u202c\u2028\u0085\u0000z";
    private const string Shown = "a\\u000d\\u000a\\u001b[31mwarn: \\u202eelif\\u202c\\u2028\\u0085\\u0000z";

    private FeedsHost _host = null!;

    public async Task InitializeAsync() => _host = await FeedsHost.CreateAsync(Folder.Path, s => s.AddSingleton<ILoggerProvider>(Log));

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData("""{"json": {"path": "$.list"}}""", "{KEY: [1]}")]
    [InlineData("""{"json": {"path": "$"}}""", "[{KEY: 1}]")]
    [InlineData("""{"json": {"path": "$.a"}}""", "{\"a\": {KEY: [\"bad.example\"]}}")]
    [InlineData("""{"csv": {"fieldName": "x", "header": true}}""", "KEY,b\n1,2\n")]
    [InlineData("""{"newlineDelimited": {}}""", "[{KEY: [\"bad.example\"]}]")]
    public async Task What_a_body_says_is_shown_cut_and_visible(string format, string body)
    {
        bool csv = format.Contains("csv", StringComparison.Ordinal);
        foreach (string key in new[] { Bad, new string('k', 500_000), "\ud83d" })
        {
            string written = csv ? '"' + key.Replace('\n', ' ').Replace('\r', ' ') + '"' : JsonSerializer.Serialize(key);
            await using HostileServer server = await HostileServer.TextAsync(body.Replace("KEY", written, StringComparison.Ordinal));
            JsonObject manifest = FeedsHost.Manifest("names", "DomainNameSet", server.Url);
            manifest["spec"]!["pull"]!["http"]!["format"] = JsonNode.Parse(format);
            Assert.IsType<FeedChangeResult.Ok>(await _host.Get<FeedChanges>().CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default));
            Feed feed = (await _host.Get<FeedCatalog>().FindAsync("names", default))!.Feed;
            FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(Bound);
            FeedRun run = await _host.PullAsync(feed);
            run = (await _host.Runs.FindAsync(feed, run.Id, default))!;
            AssertShown([run.Message, .. run.Refusals!.Select(r => r.Text), .. (await _host.ConditionsAsync("names")).Select(c => c.Message), .. preview.Problems, .. preview.Samples,
                .. preview.Refusals.Select(r => r.Text), .. preview.Columns.SelectMany(c => new[] { c.Name, c.Sample })]);
            Assert.True(key.Length > 1000 || preview.Problems.Count > 0);
            await _host.Get<FeedChanges>().DeleteAsync("names", ThreatFeeds.Resources.ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        }
        AssertShown(Log.All);
        Assert.Contains(Log.All, l => l.Contains("names", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_entry_is_shown_cut_and_visible()
    {
        string entry = Bad.Replace("\r\n", "", StringComparison.Ordinal);
        await using HostileServer server = await HostileServer.TextAsync($"bad.example\n{entry}\n{new string('y', 300)}!\n");
        FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(await _host.CreateAsync("names", "DomainNameSet", server.Url), default).WaitAsync(Bound);
        Assert.Equal([Shown.Replace("\\u000d\\u000a", "", StringComparison.Ordinal), new string('y', 199) + "…"], preview.Refusals.Select(r => r.Text));
    }

    [Fact]
    public async Task A_long_key_of_a_pushed_document_makes_no_long_run()
    {
        Feed feed = await _host.CreateAsync("pushed", "IPSet");
        byte[] document = Encoding.UTF8.GetBytes($$"""{"b\n\u202e": [], "{{new string('k', 1_000_000)}}": []}""");
        PushResult result = await _host.Get<PushSet>().PushAsync("pushed", PushDocument.Read(ContentKind.IPSet, new(document), default), Actor.Local, default);
        Assert.Equal(PushStatus.Unusable, result.Status);
        FeedRun run = (await _host.Runs.ListAsync(feed, null, 1, default)).Items.Single();
        AssertShown([result.Message, run.Message, .. (await _host.ConditionsAsync("pushed")).Select(c => c.Message), .. Log.All]);
        Assert.Contains("b\\u000a\\u202e", run.Message);
        Assert.Contains("exactly the field 'ips'", run.Message);
    }

    [Fact]
    public async Task A_run_that_an_earlier_version_wrote_is_read_cut_and_visible()
    {
        Feed feed = await _host.CreateAsync("names", "IPSet");
        await _host.AlterAsync(db =>
        {
            db.Runs.Add(new RunRow { Feed = "names", FeedUid = feed.Uid, Trigger = RunTrigger.Push, Actor = "a", QueuedAt = default, FinishedAt = default(DateTime), Message = Bad + new string('k', 1_000_000) });
            return Task.CompletedTask;
        });
        AssertShown([(await _host.Runs.ListAsync(feed, null, 1, default)).Items.Single().Message]);
    }

    [Theory]
    [InlineData("HTTP/1.1 2\u001b[2J\u0085 \r\n\r\n")]
    [InlineData("\u001b]0;title\u0007 no HTTP\r\n\r\n")]
    [InlineData("HTTP/1.1 404 \u001b[31mGone\u0085\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: \u001b[1m\u0085\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: \u001b[1m\u0085\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX\u001b[1m\u0085Y: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\u001b[1m\u0085\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: ftp://\u001b[1m\u0085/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://a\u0085b/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://\u0000/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://xn--\u00fc./\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://a..b/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://%00/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://[fe80::1%25\u001b]/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:0/\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: \r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\n\r\n")]
    public async Task What_a_server_says_instead_of_an_answer_is_shown_visible(string answer)
    {
        await using RawServer server = RawServer.Saying(answer);
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        FeedRun run = await _host.PullAsync(feed);
        FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(Bound);
        Assert.NotEqual(RunOutcome.Replaced, run.Outcome);
        Assert.DoesNotContain("error of our own", run.Message);
        AssertShown([run.Message, .. preview.Problems, .. (await _host.ConditionsAsync("names")).Select(c => c.Message), .. Log.All]);
    }

    [Theory]
    [InlineData("http://{0}.example/")]
    [InlineData("http://feeds.example/{0}")]
    [InlineData("{0}://feeds.example/")]
    [InlineData("ftp://{0}/")]
    [InlineData("https://user:{0}@feeds.example/")]
    public async Task A_long_address_that_a_server_redirects_to_leaves_the_reason_readable(string location)
    {
        string target = string.Format(System.Globalization.CultureInfo.InvariantCulture, location, string.Concat(Enumerable.Repeat("long", 4000)));
        await using HostileServer server = await HostileServer.StartAsync(c => RedirectAsync(c, target));
        FetchException e = await RefusedAsync(server.Url);
        AssertShown([e.Message]);
        Assert.InRange(e.Message.Length, 20, 600);
        Assert.EndsWith(".", e.Message, StringComparison.Ordinal);
    }

    private static void AssertShown(IEnumerable<string?> texts) => Assert.All(texts.OfType<string>(), text =>
    {
        Assert.InRange(text.Length, 0, VisibleText.Message + 100);
        Assert.DoesNotContain(text, c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u202e' or '\u202c' or '\u2028');
    });
}
