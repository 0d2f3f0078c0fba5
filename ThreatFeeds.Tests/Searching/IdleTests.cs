using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

public sealed class IdleTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_pushed_document_that_its_feed_can_take_and_has_not_yet_is_not_idle(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await using ThreatFeedsContext db = world.Contexts.Create();
        db.WaitingPushes.Add(new WaitingPushRow { Feed = "one", Content = ContentKind.DomainNameSet, Document = """{"domains":["bad.example"]}""" });
        db.WaitingPushes.Add(new WaitingPushRow { Feed = "pulled", Content = ContentKind.DomainNameSet, Document = """{"domains":["bad.example"]}""" });
        await db.SaveChangesAsync();
        // A feed that is not there, or that is pulled, keeps nothing from being idle.
        await world.Feeds.CreateAsync(FeedsHost.Manifest("pulled", "DomainNameSet", "https://feeds.example/names"), FeedChangeOptions.Default, Actor.Local, default);
        await db.Runs.ExecuteDeleteAsync();
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        Assert.True((await world.States.GetAsync(default)).Idle);

        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        Assert.False((await world.States.GetAsync(default)).Idle);
        await db.WaitingPushes.Where(w => w.Feed == "one").ExecuteDeleteAsync();
        Assert.True((await world.States.GetAsync(default)).Idle);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_pull_that_is_queued_or_under_way_is_not_idle(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.SettleAsync();
        Assert.True((await world.States.GetAsync(default)).Idle);
        var run = new RunRow { Feed = "one", FeedUid = Guid.NewGuid(), Actor = "local", QueuedAt = world.Clock.GetUtcNow().UtcDateTime };
        await using ThreatFeedsContext db = world.Contexts.Create();
        db.Runs.Add(run);
        await db.SaveChangesAsync();
        Assert.False((await world.States.GetAsync(default)).Idle);
        run.StartedAt = run.QueuedAt;
        await db.SaveChangesAsync();
        Assert.False((await world.States.GetAsync(default)).Idle);
        (run.FinishedAt, run.Outcome) = (run.QueuedAt, RunOutcome.Unchanged);
        await db.SaveChangesAsync();
        Assert.True((await world.States.GetAsync(default)).Idle);
    }
}
