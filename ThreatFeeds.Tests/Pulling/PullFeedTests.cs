using Microsoft.AspNetCore.Http;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

public sealed class PullFeedTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FeedsHost _host = null!;

    public async Task InitializeAsync() => _host = await FeedsHost.CreateAsync(_folder.Path);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_pull_replaces_the_set_and_says_what_it_did()
    {
        await using HostileServer server = await HostileServer.TextAsync("# list\nbad.example\nworse.example\nnot/a/name\n192.0.2.1\n");
        FeedRun run = await _host.PullAsync(await _host.CreateAsync("names", "DomainNameSet", server.Url));
        Assert.Equal((RunOutcome.Replaced, 2L, 2L, 0L, 1L, 1L), (run.Outcome, run.Accepted, run.Added, run.Removed, run.Skipped, run.Refused));
        Assert.Equal(["bad.example", "worse.example"], await _host.IndicatorsAsync("names"));
        Assert.Equal(4, Assert.Single((await _host.Runs.FindAsync((await _host.Get<FeedCatalog>().FindAsync("names", default))!.Feed, run.Id, default))!.Refusals!).Line);
        Assert.NotNull((await _host.Get<FeedCatalog>().FindAsync("names", default))!.Status.LastSuccessfulSync);
    }

    [Fact]
    public async Task The_same_body_and_a_304_leave_the_set_unchanged()
    {
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"));
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        await _host.PullAsync(feed);
        Assert.Equal(RunOutcome.Unchanged, (await _host.PullAsync(feed)).Outcome);
        server.Answer = c =>
        {
            c.Response.Headers.ETag = "\"one\"";
            c.Response.StatusCode = c.Request.Headers.IfNoneMatch == "\"one\"" ? 304 : 200;
            return c.Response.StatusCode == 304 ? Task.CompletedTask : c.Response.WriteAsync("bad.example\nnew.example\n");
        };
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
        FeedRun run = await _host.PullAsync(feed);
        Assert.Equal(RunOutcome.Unchanged, run.Outcome);
        Assert.Contains("304", run.Message);
        Assert.Equal(2, (await _host.IndicatorsAsync("names")).Count);
    }

    [Fact]
    public async Task An_edit_of_the_url_asks_without_the_old_validators()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.Headers.ETag = "\"one\"";
            return c.Response.WriteAsync("bad.example\n");
        });
        await _host.PullAsync(await _host.CreateAsync("names", "DomainNameSet", server.Url));
        await _host.PullAsync(await _host.ReplaceAsync("names", "DomainNameSet", server.Url + "/other"));
        Assert.Equal("", server.Requests.Last().Headers.IfNoneMatch.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only\n# comments\n")]
    [InlineData("<!DOCTYPE html><html><body>Sign in</body></html>")]
    public async Task An_unusable_body_keeps_the_last_good_set(string body)
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        await _host.PullAsync(feed);
        server.Answer = c => c.Response.WriteAsync(body);
        Assert.Equal(RunOutcome.Kept, (await _host.PullAsync(feed)).Outcome);
        Assert.Equal(["bad.example"], await _host.IndicatorsAsync("names"));
        Assert.Equal(ConditionType.SetKept, Assert.Single(await _host.ConditionsAsync("names")).Type);
        server.Answer = c => c.Response.WriteAsync("other.example\n");
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
        Assert.Empty(await _host.ConditionsAsync("names"));
    }

    [Fact]
    public async Task A_truncated_body_keeps_the_last_good_set()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        await _host.PullAsync(feed);
        server.Answer = async c =>
        {
            // Bytes are missing at the end, so the server closes the connection.
            c.Response.ContentLength = 1000;
            await c.Response.WriteAsync("other.example\n");
        };
        Assert.Equal(RunOutcome.Kept, (await _host.PullAsync(feed)).Outcome);
        Assert.Equal(["bad.example"], await _host.IndicatorsAsync("names"));
    }

    [Fact]
    public async Task A_shrunken_list_is_kept_out_until_it_is_accepted()
    {
        await using HostileServer server = await HostileServer.TextAsync(string.Join('\n', Enumerable.Range(0, 200).Select(i => $"n{i}.example")));
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        await _host.PullAsync(feed);
        server.Answer = c => c.Response.WriteAsync("n1.example\n");
        FeedRun kept = await _host.PullAsync(feed);
        Assert.Equal(RunOutcome.Kept, kept.Outcome);
        string digest = kept.Message!.Split(' ')[^1];
        feed = await _host.ReplaceAsync("names", "DomainNameSet", server.Url, $$"""{"threatfeeds.io/accept": "{{digest}}"}""");
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
        Assert.Equal(["n1.example"], await _host.IndicatorsAsync("names"));
    }

    [Fact]
    public async Task A_failed_pull_is_a_condition_until_the_next_success()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        Assert.Equal(RunOutcome.Failed, (await _host.PullAsync(feed)).Outcome);
        Assert.Equal(ConditionType.PullFailed, Assert.Single(await _host.ConditionsAsync("names")).Type);
        server.Answer = c => c.Response.WriteAsync("bad.example\n");
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
        Assert.Empty(await _host.ConditionsAsync("names"));
    }

    [Fact]
    public async Task A_header_comes_from_a_secret_and_a_missing_one_names_itself()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        const string Headers = """[{"name": "Authorization", "valueFrom": {"secretKeyRef": {"name": "globalthreatfeed-names-token", "key": "token"}}}, {"name": "X-Extra", "valueFrom": {"configMapKeyRef": {"name": "globalthreatfeed-names-extra", "key": "x", "optional": true}}}]""";
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url, headers: Headers);
        FeedRun failed = await _host.PullAsync(feed);
        Assert.Equal(RunOutcome.Failed, failed.Outcome);
        (ConditionType type, string message) = Assert.Single(await _host.ConditionsAsync("names"));
        Assert.Equal(ConditionType.HeaderSourceMissing, type);
        Assert.Contains("globalthreatfeed-names-token", message);
        Assert.Contains("'token'", message);
        Assert.Empty(server.Requests);

        await _host.AlterAsync(db =>
        {
            db.Resources.Add(new ResourceRow { Kind = "Secret", Namespace = HeaderSources.Namespace, Name = "globalthreatfeed-names-token", Uid = Guid.NewGuid(), Spec = """{"data": {"token": "QmVhcmVyIHg="}}""" });
            return Task.CompletedTask;
        });
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
        Assert.Equal("Bearer x", server.Requests.Last().Headers.Authorization.ToString());
        Assert.False(server.Requests.Last().Headers.ContainsKey("X-Extra"));
        Assert.Empty(await _host.ConditionsAsync("names"));
    }

    [Fact]
    public async Task Every_header_is_either_refused_at_save_or_sent_exactly()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        string[] names =
        [
            .. typeof(Microsoft.Net.Http.Headers.HeaderNames).GetFields().Select(f => (string)f.GetValue(null)!).Where(n => n.All(KubernetesNames.IsTokenCharacter)),
            "Proxy-Connection", "X-API-Key", "x-lower", "Content-Something",
        ];
        var sent = new List<string>();
        foreach (string name in names)
        {
            string headers = $$"""[{"name": "{{name}}", "value": "V1 =a, b;c"}]""";
            var result = await _host.Get<FeedChanges>().CreateAsync(FeedsHost.Manifest($"f{sent.Count}", "DomainNameSet", server.Url, headers: headers), FeedChangeOptions.Default, Actor.Local, default);
            if (result is FeedChangeResult.Invalid invalid)
            {
                Assert.Contains(name, Assert.Single(invalid.Problems).Message);
                continue;
            }
            Assert.IsType<FeedChangeResult.Ok>(result);
            FeedRun run = await _host.PullAsync((await _host.Get<FeedCatalog>().FindAsync($"f{sent.Count}", default))!.Feed);
            Assert.True(run.Outcome == RunOutcome.Replaced, $"{name}: {run.Message}");
            Assert.Equal((name, "V1 =a, b;c"), (name, server.Requests.Last().Headers[name].ToString()));
            sent.Add(name);
        }
        Assert.Contains("X-API-Key", sent);
        Assert.Contains("Accept", sent);
        Assert.Contains("Content-Something", sent);
        Assert.DoesNotContain("Content-Type", sent);
        Assert.DoesNotContain("Connection", sent);
    }

    [Fact]
    public async Task A_feed_kept_from_before_with_a_header_that_cannot_be_sent_names_it()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url, headers: """[{"name": "X-Later", "value": "text/plain"}]""");
        feed = feed with { Spec = feed.Spec with { Pull = feed.Spec.Pull! with { Headers = [feed.Spec.Pull.Headers[0] with { Name = "Content-Type" }] } } };
        FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Contains("the header Content-Type cannot be set", Assert.Single(preview.Problems));
    }

    [Fact]
    public async Task A_preview_a_run_and_the_set_agree_when_a_list_repeats_itself()
    {
        await using HostileServer server = await HostileServer.TextAsync(string.Concat(Enumerable.Range(0, 300).Select(i => $"name{i % 30}.example\n")) + string.Concat(Enumerable.Repeat("no such/thing\n", 40)));
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal((30L, 270L), (preview.Accepted, preview.Cleaned["repeat"]));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"name{i}.example"), preview.Samples);
        // More refused than different, yet far less than half of the entries.
        FeedRun run = await _host.PullAsync(feed);
        Assert.Equal((RunOutcome.Replaced, 30L, 30L, 40L), (run.Outcome, run.Accepted, run.Added, run.Refused));
        Assert.Equal(30, (await _host.IndicatorsAsync("names")).Count);
    }

    [Fact]
    public async Task A_feed_changed_while_it_is_pulled_does_not_get_the_old_body()
    {
        await using HostileServer server = await HostileServer.TextAsync("");
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        server.Answer = async c =>
        {
            await _host.ReplaceAsync("names", "DomainNameSet", server.Url + "/elsewhere");
            await c.Response.WriteAsync("old.example\n");
        };
        Assert.Equal(RunOutcome.Failed, (await _host.PullAsync(feed)).Outcome);
        Assert.Empty(await _host.IndicatorsAsync("names"));
    }

    [Fact]
    public async Task The_same_body_is_read_again_when_the_feed_reads_it_otherwise()
    {
        await using HostileServer server = await HostileServer.TextAsync("http://bad.example/x\ngood.example\n");
        await _host.PullAsync(await _host.CreateAsync("names", "DomainNameSet", server.Url));
        Assert.Equal(["good.example"], await _host.IndicatorsAsync("names"));
        FeedRun run = await _host.PullAsync(await _host.ReplaceAsync("names", "DomainNameSet", server.Url, """{"threatfeeds.io/urls": "host"}"""));
        Assert.Equal(RunOutcome.Replaced, run.Outcome);
        Assert.Equal(["bad.example", "good.example"], await _host.IndicatorsAsync("names"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_begun_for_a_feed_disabled_or_made_again_since_fetches_nothing(bool disabled)
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await _host.CreateAsync("names", "DomainNameSet", server.Url);
        RunRow run = (await _host.Queue.StartNextAsync("names", default))!;
        if (disabled)
        {
            await _host.ReplaceAsync("names", "DomainNameSet", server.Url, mode: "Disabled");
        }
        else
        {
            await _host.Get<FeedChanges>().DeleteAsync("names", ThreatFeeds.Resources.ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
            await _host.CreateAsync("names", "DomainNameSet", server.Url);
        }
        await _host.Get<PullFeed>().RunAsync(run, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal(RunOutcome.Failed, (await _host.Runs.FindAsync(run.Id, default))!.Outcome);
        Assert.Empty(server.Requests);
        Assert.Empty(await _host.ConditionsAsync("names"));
    }

    [Fact]
    public async Task A_preview_stores_nothing_and_says_what_went_wrong()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\nno such/thing\n");
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url);
        FeedPreview good = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal((200, 1L, 26L), (good.Status, good.Accepted, good.Bytes));
        Assert.Equal(["bad.example"], good.Samples);
        Assert.Equal(2, Assert.Single(good.Refusals).Line);
        server.Answer = c =>
        {
            c.Response.StatusCode = 403;
            return Task.CompletedTask;
        };
        FeedPreview bad = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal(403, bad.Status);
        Assert.Contains("403", Assert.Single(bad.Problems));
        Assert.Empty(await _host.IndicatorsAsync("names"));
    }
}
