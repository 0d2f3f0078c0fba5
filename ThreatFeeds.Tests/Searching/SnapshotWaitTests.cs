using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Feeds;
using ThreatFeeds.Logs;
using ThreatFeeds.Resources;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>A source at rest does not build the newest snapshot: what arrives meanwhile is compared with the older one.</summary>
public sealed class SnapshotWaitTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Records_that_arrive_while_a_snapshot_is_built_are_compared_with_the_one_before_at_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "old.example");
        await world.DnsAsync("new.example");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        long before = world.Snapshots.Current.Generation;
        await world.SetAsync("one", "old.example", "new.example");

        Assert.Equal(StepResult.Waiting, await world.Forward.StepAsync(dns, default));
        await world.DnsAsync("old.example", "new.example");
        Assert.Equal(StepResult.Moved, await world.Forward.StepAsync(dns, default));

        Assert.Equal(before, world.Snapshots.Current.Generation);
        Assert.Equal(["old.example"], (await world.HitsAsync()).Select(h => h.Value));
        Assert.False((await world.States.GetAsync(default)).Idle);
        // Nothing is missed: the look-back of the change goes up to where the source had come.
        await world.SettleAsync();
        Assert.Equal(["new.example", "new.example", "old.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
        Assert.True((await world.States.GetAsync(default)).Idle);
    }

    [Fact]
    public async Task Whoever_builds_the_snapshot_wakes_the_searches_that_wait_for_it()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "old.example");
        await world.DnsAsync("new.example");
        using var signals = new SearchSignals(world.Listings, TimeProvider.System);
        using var health = new SearchHealth(
            world.Catalog, new FeedStatusWriter(world.Contexts, new ResourceStore(TimeProvider.System)), world.States, NullLogger<SearchHealth>.Instance, TimeProvider.System);
        // Nothing but being woken ends its sleep.
        var loops = new SearchLoops(world.Logs, world.Forward, world.Book, health, signals) { Doze = TimeSpan.FromHours(1) };
        using var end = new CancellationTokenSource();
        Task searching = loops.RunAsync(end.Token);
        await FeedsHost.UntilAsync(async () => await PassedAsync(world));
        await world.SetAsync("one", "old.example", "new.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        int steps = world.HeadsRead(dns);
        signals.WakeForward();
        await FeedsHost.UntilAsync(() => Task.FromResult(world.HeadsRead(dns) > steps));
        Assert.False(await PassedAsync(world));

        Task keeping = new SnapshotKeeper(world.Snapshots, signals, health, NullLogger<SnapshotKeeper>.Instance).RunAsync(end.Token);
        await FeedsHost.UntilAsync(async () => await PassedAsync(world));

        await end.CancelAsync();
        await Task.WhenAll(searching, keeping).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    /// <summary>Whether both sources were searched with what is listed now.</summary>
    private static async Task<bool> PassedAsync(SearchWorld world) =>
        await world.States.GetAsync(default) is var state && state.Places.Values.All(p => p.Generation == state.Generation && p.Mark >= p.Head);
}
