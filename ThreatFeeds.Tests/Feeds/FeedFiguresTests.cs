using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pushing;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Feeds;

public sealed class FeedFiguresTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FeedsHost _host = null!;

    public async Task InitializeAsync() => _host = await FeedsHost.CreateAsync(_folder.Path);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_feed_is_compared_with_every_other_enabled_one_of_its_content_the_most_alike_first()
    {
        await ListAsync("one", "IPSet", "ips", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4");
        await ListAsync("alike", "IPSet", "ips", "192.0.2.1", "192.0.2.2", "192.0.2.9");
        await ListAsync("less", "IPSet", "ips", "192.0.2.2");
        await ListAsync("not", "IPSet", "ips", "192.0.2.8");
        await ListAsync("names", "DomainNameSet", "domains", "a.example");
        FeedFigures figures = (await _host.Get<FeedStatistics>().GetAsync("one", default))!;
        Assert.Equal([new FeedOverlap("alike", 2), new FeedOverlap("less", 1)], figures.Overlap);
        Assert.Equal((4L, 2L, 0.5), (figures.Indicators, figures.Unique, figures.UniqueShare));
        Assert.Null(await _host.Get<FeedStatistics>().GetAsync("none", default));
    }

    [Fact]
    public async Task Hits_of_the_last_24_hours_stand_oldest_first_and_all_are_counted()
    {
        Feed feed = await _host.CreateAsync("one", "IPSet");
        long hour = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600;
        await _host.AlterAsync(db =>
        {
            foreach ((long ago, long count) in new[] { (0L, 1L), (3L, 5L), (40L, 7L) })
            {
                db.FeedHits.Add(new FeedHitsRow { FeedUid = feed.Uid, Hour = hour - ago, Count = count, LastTime = (hour - ago) * 3600_000 });
            }
            return Task.CompletedTask;
        });
        FeedOverview overview = (await _host.Get<FeedOverviews>().FindAsync("one", default))!;
        Assert.Equal((13L, 24), (overview.Hits, overview.HitsByHour.Count));
        // The clock may pass the hour in between.
        int last = overview.HitsByHour[23] == 1 ? 23 : 22;
        Assert.Equal((1L, 5L, 6L), (overview.HitsByHour[last], overview.HitsByHour[last - 3], overview.HitsByHour.Sum()));
    }

    [Fact]
    public async Task A_feed_made_again_has_none_of_the_runs_of_the_one_before()
    {
        Feed feed = await _host.CreateAsync("one", "IPSet");
        await _host.Queue.RecordAsync(feed, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), new RunEnd(RunOutcome.Failed, "old"), default);
        Assert.Equal("old", (await _host.Get<FeedOverviews>().FindAsync("one", default))!.LastRun!.Message);
        await _host.Get<FeedChanges>().DeleteAsync("one", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        Feed again = await _host.CreateAsync("one", "IPSet");
        Assert.Null((await _host.Get<FeedOverviews>().FindAsync("one", default))!.LastRun);
        Assert.Empty((await _host.Runs.ListAsync(again, null, 10, default)).Items);
    }

    [Fact]
    public async Task The_last_run_is_the_last_that_has_begun()
    {
        Feed feed = await _host.CreateAsync("one", "IPSet", "http://127.0.0.1:9/");
        RunRow run = (await _host.Queue.StartNextAsync("one", default))!;
        await _host.Queue.FinishAsync(run, new RunEnd(RunOutcome.Unchanged, "ended"), default);
        await _host.Queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        Assert.Equal("ended", (await _host.Get<FeedOverviews>().FindAsync("one", default))!.LastRun!.Message);
    }

    [Fact]
    public async Task A_patch_leaves_what_kubectl_writes_for_itself()
    {
        await _host.CreateAsync("one", "IPSet", annotations: """{"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "a"}""");
        await _host.Get<FeedChanges>().PatchAsync("one", JsonNode.Parse("""{"spec": {"mode": "Disabled"}}""")!.AsObject(), FeedChangeOptions.Default, Actor.Local, default);
        Feed feed = (await _host.Get<FeedCatalog>().FindAsync("one", default))!.Feed;
        Assert.False(feed.Spec.Enabled);
        Assert.Equal(["kubectl.kubernetes.io/last-applied-configuration", "note"], feed.Annotations.Keys.Order());
    }

    [Theory]
    [InlineData("""{"threatfeeds.io/accept": "0123456789abcdef"}""")]
    [InlineData("""{"threatfeeds.io/min-share": "0.1"}""")]
    public async Task An_annotation_that_says_what_may_replace_the_set_asks_for_a_pull(string annotations)
    {
        await _host.CreateAsync("one", "IPSet", "http://127.0.0.1:9/");
        RunRow run = (await _host.Queue.StartNextAsync("one", default))!;
        await _host.Queue.FinishAsync(run, new RunEnd(RunOutcome.Kept, null), default);
        await _host.ReplaceAsync("one", "IPSet", "http://127.0.0.1:9/", """{"note": "says nothing of pulls"}""");
        Assert.Empty(await _host.Queue.QueuedFeedsAsync(default));
        await _host.ReplaceAsync("one", "IPSet", "http://127.0.0.1:9/", annotations);
        Assert.Equal(["one"], await _host.Queue.QueuedFeedsAsync(default));
    }

    [Fact]
    public void Of_a_stored_status_what_nobody_knows_is_left_out()
    {
        JsonObject stored = JsonNode.Parse("""
            {"lastSuccessfulSync": "yesterday", "errorConditions": [{"type": "99", "message": "a"}, {"type": "Unheard", "message": "b"}, {"type": 1}, null, {"type": "SetKept"}, {"type": "PullFailed", "message": "c"}]}
            """)!.AsObject();
        FeedStatus status = FeedStatus.Read(stored);
        Assert.Equal([new FeedCondition(ConditionType.SetKept, ""), new FeedCondition(ConditionType.PullFailed, "c")], status.ErrorConditions);
        Assert.Null(status.LastSuccessfulSync);
        // Told in one order, whichever came first.
        Assert.Equal([ConditionType.PullFailed, ConditionType.PushRefused, ConditionType.HitStorm],
            FeedStatus.Empty.With(ConditionType.HitStorm, "a").With(ConditionType.PushRefused, "b").With(ConditionType.PullFailed, "c").ErrorConditions.Select(c => c.Type));
    }

    [Fact]
    public async Task A_change_wakes_whoever_pulls_at_once_and_one_that_is_only_tried_does_not()
    {
        var woken = new List<string>();
        _host.Queue.Queued += woken.Add;
        await _host.Get<FeedChanges>().CreateAsync(FeedsHost.Manifest("tried", "IPSet", "http://127.0.0.1:9/"), new FeedChangeOptions(DryRun: true), Actor.Local, default);
        Assert.Empty(woken);
        await _host.CreateAsync("one", "IPSet", "http://127.0.0.1:9/");
        Assert.Equal(["one"], woken);
    }

    private async Task ListAsync(string name, string content, string field, params string[] entries)
    {
        Feed feed = await _host.CreateAsync(name, content);
        string text = $$"""{"{{field}}": {{JsonSerializer.Serialize(entries)}}}""";
        PushResult result = await _host.Get<PushSet>().PushAsync(name, Documents.Of(feed.Spec.Content, text), Actor.Local, default);
        Assert.Equal(PushStatus.Stored, result.Status);
    }
}
