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

/// <summary>What the feeds say of searches that fail, and when they stop saying it.</summary>
public sealed class SearchConditionTests
{
    [Fact]
    public async Task A_failure_of_a_source_that_is_gone_is_taken_back()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        using var signals = new SearchSignals(world.Listings, TimeProvider.System);
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        var loops = new SearchLoops(world.Logs, world.Forward, world.Book, health, signals) { Doze = TimeSpan.FromMilliseconds(20) };
        using var end = new CancellationTokenSource();
        Task running = loops.RunAsync(end.Token);
        await FeedsHost.UntilAsync(() => Task.FromResult(world.HeadsRead(dns) > 1));
        world.Hide(dns);
        await FeedsHost.UntilAsync(() => Task.FromResult(!signals.Knows(dns.Id)));
        // Its last failure was still on the way when its loop was told to end.
        await health.FailedAsync(SearchHealth.LookBack, dns, new LogStoreException("gone"), default);
        Assert.Single(await MessagesAsync(world));
        world.ShowAll();
        await FeedsHost.UntilAsync(() => Task.FromResult(signals.Knows(dns.Id)));
        world.Hide(dns);
        await FeedsHost.UntilAsync(async () => (await MessagesAsync(world)).Length == 0);
        await end.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task The_feeds_say_why_a_search_failed_last()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the first reason"), default);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("another reason"), default);
        Assert.Contains("another reason", Assert.Single(await MessagesAsync(world)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_process_or_one_before_said_stands_until_that_search_went_well()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        LogSource flow = world.Logs.Sources.First(s => s.Kind == LogKind.Flow);
        using SearchHealth other = Health(world);
        await other.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the reason"), default);
        using SearchHealth health = Health(world);
        for (int i = 0; i < 3; i++)
        {
            await health.SucceededAsync(SearchHealth.Forward, flow, default);
            await health.SnapshotBuiltAsync(default);
            Assert.Single(await MessagesAsync(world));
        }
        await health.SucceededAsync(SearchHealth.Forward, dns, default);
        Assert.Empty(await MessagesAsync(world));
    }

    [Fact]
    public async Task What_another_process_said_of_its_source_goes_with_the_source()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        using SearchHealth other = Health(world);
        await other.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the reason"), default);
        using SearchHealth health = Health(world);
        await health.SnapshotBuiltAsync(default);
        Assert.Single(await MessagesAsync(world));
        await health.ForgetAsync(dns.Id, default);
        Assert.Empty(await MessagesAsync(world));
    }

    [Fact]
    public async Task Of_two_sources_that_fail_the_one_that_still_does_is_said()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        LogSource flow = world.Logs.Sources.First(s => s.Kind == LogKind.Flow);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("reason of dns"), default);
        await health.FailedAsync(SearchHealth.Forward, flow, new LogStoreException("reason of flow"), default);
        await health.SucceededAsync(SearchHealth.Forward, flow, default);
        Assert.Contains("reason of dns", Assert.Single(await MessagesAsync(world)), StringComparison.Ordinal);
        await health.SucceededAsync(SearchHealth.Forward, dns, default);
        Assert.Empty(await MessagesAsync(world));
    }

    [Fact]
    public async Task A_look_back_that_failed_before_a_start_is_not_taken_back_by_the_forward_searches()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.DnsAsync("b.example");
        await world.SettleAsync();
        await world.SetAsync("one", "a.example", "b.example");
        foreach (LogSource source in world.Logs.Sources)
        {
            await world.ForwardAsync(source);
        }
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        using SearchHealth before = Health(world);
        await before.FailedAsync(SearchHealth.LookBack, dns, new LogStoreException("the reason"), default);
        using SearchHealth health = Health(world);
        foreach (LogSource source in world.Logs.Sources)
        {
            await health.SucceededAsync(SearchHealth.Forward, source, default);
        }
        Assert.Single(await MessagesAsync(world));
        await health.SucceededAsync(SearchHealth.LookBack, dns, default);
        Assert.Empty(await MessagesAsync(world));
    }

    [Fact]
    public async Task A_snapshot_that_cannot_be_built_is_said_until_it_can()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        using SearchHealth health = Health(world);
        await health.SnapshotFailedAsync(new TimeoutException(), default);
        foreach (LogSource source in world.Logs.Sources)
        {
            await health.SucceededAsync(SearchHealth.Forward, source, default);
        }
        Assert.Contains("newest indicators", Assert.Single(await MessagesAsync(world)), StringComparison.Ordinal);
        await health.SnapshotBuiltAsync(default);
        Assert.Empty(await MessagesAsync(world));
    }

    [Fact]
    public async Task A_feed_that_comes_while_searching_fails_says_so_within_a_minute()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        using SearchHealth health = Health(world, world.Clock);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the reason"), default);
        await world.FeedAsync("one", "DomainNameSet");
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the reason"), default);
        Assert.Contains("the reason", Assert.Single(await MessagesAsync(world)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_had_arrived_is_compared_although_more_comes_all_the_time_and_feeds_are_pulled()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("a.example", "b.example");
        Arrived first = await LookAsync();
        Assert.False(first.IsCompared(await world.States.GetAsync(default)));
        await world.SettleAsync();
        await world.DnsAsync("c.example");
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            db.Runs.Add(new RunRow { Feed = "another", FeedUid = Guid.NewGuid(), Actor = "local", QueuedAt = DateTime.UnixEpoch });
            await db.SaveChangesAsync();
        }
        Assert.False((await LookAsync()).IsCompared(await world.States.GetAsync(default)));
        Assert.True(first.IsCompared(await world.States.GetAsync(default)));
        // What is listed now has not been looked for yet.
        await world.SetAsync("one", "bad.example", "worse.example");
        Arrived changed = await LookAsync();
        Assert.False(changed.IsCompared(await world.States.GetAsync(default)));
        await world.SettleAsync();
        Assert.True(changed.IsCompared(await world.States.GetAsync(default)));

        async Task<Arrived> LookAsync() => await world.States.GetAsync(default) is var state ? new Arrived(world.Clock.GetUtcNow(), [], state.Places, state.Generation) : null!;
    }

    private static SearchHealth Health(SearchWorld world, TimeProvider? clock = null) => new(
        world.Catalog, new FeedStatusWriter(world.Contexts, new ResourceStore(TimeProvider.System)), world.States, NullLogger<SearchHealth>.Instance, clock ?? TimeProvider.System);

    private static async Task<string[]> MessagesAsync(SearchWorld world) =>
        [.. (await world.Catalog.FindAsync("one", default))!.Status.ErrorConditions.Select(c => c.Message)];
}
