using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using ThreatFeeds.Web.Data;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>What happens in the rooms is passed on to open pages.</summary>
public sealed class NewsTests
{
    [Fact]
    public async Task Pages_hear_of_records_hits_look_backs_and_changed_alerts_until_the_process_stops()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        using var changes = new ConsoleChanges(world.Clock);
        var alerts = new AlertChanges(world.Contexts);
        var news = new SearchNews(world.Forward, world.LookBack, alerts, world.Logs, changes);
        await news.StartAsync(default);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        Assert.Equal(ConsoleChange.Searches, await ToldAsync(world, changes, () => world.DnsAsync("bad.example", "later.example")));
        Assert.Equal(ConsoleChange.Alerts | ConsoleChange.Feeds | ConsoleChange.Searches, await ToldAsync(world, changes, world.SettleAsync));
        Assert.Equal(ConsoleChange.None, await ToldAsync(world, changes, world.SettleAsync));
        Assert.Equal(ConsoleChange.Alerts, await ToldAsync(world, changes, () => alerts.ApplyAsync(["1"], new AlertChange(AlertState.Dismissed, null), Actor.Local, default)));
        await world.SetAsync("one", "bad.example", "later.example");
        Assert.Equal(ConsoleChange.Alerts | ConsoleChange.Feeds | ConsoleChange.Searches, await ToldAsync(world, changes, world.SettleAsync));

        await news.StopAsync(default);
        Assert.Equal(ConsoleChange.None, await ToldAsync(world, changes, async () =>
        {
            await world.DnsAsync("bad.example");
            await world.SettleAsync();
            await alerts.ApplyAsync(["1"], new AlertChange(AlertState.Open, null), Actor.Local, default);
        }));
    }

    [Fact]
    public async Task Pages_hear_of_feeds_sets_and_runs_until_the_process_stops()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        using var changes = new ConsoleChanges(world.Clock);
        var runs = new RunQueue(world.Contexts, new InstanceId("test"), world.Clock);
        var news = new FeedNews(world.Feeds, world.Listings, runs, changes);
        await news.StartAsync(default);
        Assert.True((await ToldAsync(world, changes, () => world.FeedAsync("one", "DomainNameSet"))).HasFlag(ConsoleChange.Feeds));
        Assert.Equal(ConsoleChange.Feeds | ConsoleChange.Searches, await ToldAsync(world, changes, () => world.SetAsync("one", "bad.example")));
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        Assert.Equal(ConsoleChange.Feeds | ConsoleChange.Searches, await ToldAsync(world, changes, () => runs.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default)));

        await news.StopAsync(default);
        Assert.Equal(ConsoleChange.None, await ToldAsync(world, changes, async () =>
        {
            await world.DeleteAsync("one");
            await runs.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        }));
    }

    [Fact]
    public async Task A_change_that_comes_just_before_a_form_is_saved_is_a_conflict()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        var contexts = new InterruptedContexts(world.Contexts);
        var reader = new FeedReader(_ => null);
        var runs = new RunQueue(world.Contexts, new InstanceId("test"), world.Clock);
        var changes = new FeedChanges(contexts, new ResourceStore(world.Clock), reader, world.Listings, runs);
        contexts.Interrupt(1, () => world.FeedAsync("one", "DomainNameSet", "Disabled"));
        SaveResult saved = await new ConsoleFeedChanges(world.Catalog, changes, reader, null!, runs).SaveAsync(FeedsHost.Manifest("one", "DomainNameSet", null), "one", null, default);
        Assert.True(contexts.Interrupted);
        Assert.NotNull(saved.Conflict);
        Assert.False((await world.Catalog.FindAsync("one", default))!.Feed.Spec.Enabled);
    }

    /// <summary>All that pages were told of what was done, once a second has passed.</summary>
    private static async Task<ConsoleChange> ToldAsync(SearchWorld world, ConsoleChanges changes, Func<Task> act)
    {
        var told = ConsoleChange.None;
        void Hear(ConsoleChange change) => told |= change;
        changes.Changed += Hear;
        await act();
        world.Clock.Advance(TimeSpan.FromSeconds(2));
        changes.Changed -= Hear;
        return told;
    }
}
