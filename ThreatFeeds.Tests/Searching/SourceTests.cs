using Microsoft.EntityFrameworkCore;
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

/// <summary>Sources come and go while searching runs; a search that stands is said to.</summary>
public sealed class SourceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_source_that_comes_while_running_is_searched_and_one_that_goes_has_its_loop_ended(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        LogSource dns = Dns(world);
        world.Hide(dns);
        using var end = new CancellationTokenSource();
        using var signals = new SearchSignals(world.Listings, TimeProvider.System);
        Task running = Loops(world, signals).RunAsync(end.Token);
        await world.DnsAsync("bad.example");
        await FeedsHost.UntilAsync(async () => await SearchedAsync(world) == 1);
        Assert.Empty(await world.HitsAsync());

        world.ShowAll();
        await FeedsHost.UntilAsync(async () => (await world.HitsAsync()).Count == 1);

        world.Hide(dns);
        await FeedsHost.UntilAsync(() => Task.FromResult(!signals.Knows(dns.Id)));
        await world.DnsAsync("bad.example");
        LogSource flow = world.Logs.Sources.Single();
        (int steps, int others) = (world.HeadsRead(dns), world.HeadsRead(flow));
        await FeedsHost.UntilAsync(() => Task.FromResult(world.HeadsRead(flow) > others + 20));
        Assert.Equal(steps, world.HeadsRead(dns));
        Assert.Single(await world.HitsAsync());
        Assert.False(running.IsCompleted, "the loops ended with it");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_source_that_is_gone_for_long_is_closed_and_shown_and_holds_nothing_back(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("bad.example", "other.example");
        await world.SettleAsync();
        await world.SetAsync("one", "bad.example");
        LogSource dns = Dns(world);
        // The look-back is opened and left.
        Assert.Equal(StepResult.Moved, await world.ForwardAsync(dns));
        await world.Book.SeeAsync(world.Logs.Sources, default);
        Assert.False((await world.States.GetAsync(default)).Idle);

        world.Hide(dns);
        foreach (LogSource rest in world.Logs.Sources)
        {
            while (await world.ForwardAsync(rest) != StepResult.Idle)
            {
            }
        }
        Assert.True((await world.States.GetAsync(default)).Idle, "a source that is not there holds back rest");
        Assert.Empty((await world.States.GetAsync(default)).Gone);
        Assert.Empty(await world.Book.SeeAsync(world.Logs.Sources, default));
        await BackdateAsync(world, dns, SourceBook.GoneAfter - TimeSpan.FromMinutes(1));
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await world.Book.SeeAsync(world.Logs.Sources, default));
        await BackdateAsync(world, dns, SourceBook.GoneAfter + TimeSpan.FromMinutes(1));
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([dns.Id], await world.Book.SeeAsync(world.Logs.Sources, default));

        SearchState state = await world.States.GetAsync(default);
        Assert.Equal((dns.Id, LogKind.Dns), (Assert.Single(state.Gone).Source, state.Gone[0].Kind));
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            Assert.Empty(await db.LookBacks.ToListAsync());
            // Its positions stay taken.
            Assert.True((await db.Progress.SingleAsync(p => p.Source == dns.Id)).MarkSegment > 0);
        }
        await world.Listings.SweepAsync(default);
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            Assert.Empty(await db.ListingChanges.ToListAsync());
        }

        // One that comes back is searched from the beginning, and is not gone.
        world.ShowAll();
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        await world.Book.SeeAsync(world.Logs.Sources, default);
        await world.SettleAsync();
        Assert.Equal("bad.example", Assert.Single(await world.HitsAsync()).Value);
        Assert.Empty((await world.States.GetAsync(default)).Gone);
    }

    [Fact]
    public async Task The_newest_hundred_of_the_gone_are_shown()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            db.GoneSources.AddRange(Enumerable.Range(0, 150).Select(i => new GoneSourceRow { Source = $"s{i:000}", Kind = LogKind.Flow, GoneAt = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(i) }));
            await db.SaveChangesAsync();
        }
        IReadOnlyList<GoneSource> gone = (await world.States.GetAsync(default)).Gone;
        Assert.Equal(Enumerable.Range(50, 100).Reverse().Select(i => $"s{i:000}"), gone.Select(g => g.Source));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 2, 29, 0, TimeSpan.Zero), gone[0].GoneAt);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_gone_source_is_forgotten_when_none_of_its_records_would_be_kept_any_more(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        DateTime kept = (world.Clock.GetUtcNow() - TimeSpan.FromDays(world.RetentionOptions.RetentionDays)).UtcDateTime;
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            db.GoneSources.Add(new GoneSourceRow { Source = "older", Kind = LogKind.Dns, GoneAt = kept.AddMinutes(-1) });
            db.GoneSources.Add(new GoneSourceRow { Source = "newer", Kind = LogKind.Flow, GoneAt = kept.AddMinutes(1) });
            await db.SaveChangesAsync();
        }
        await world.RetainAsync();
        Assert.Equal("newer", Assert.Single((await world.States.GetAsync(default)).Gone).Source);
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        await world.RetainAsync();
        Assert.Empty((await world.States.GetAsync(default)).Gone);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_search_with_work_that_does_not_move_for_five_minutes_is_stalled(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("a.example", "b.example", "bad.example", "d.example", "e.example");

        Assert.False(await StalledAsync());
        world.Clock.Advance(Standstill.After + TimeSpan.FromSeconds(1));
        Assert.True(await StalledAsync(), "the forward search stands");
        foreach (LogSource source in world.Logs.Sources)
        {
            await world.ForwardAsync(source);
        }
        Assert.False(await StalledAsync());
        await world.SettleAsync();
        world.Clock.Advance(Standstill.After * 3);
        Assert.False(await StalledAsync(), "nothing is left to do");
        await world.SetAsync("one", "bad.example", "a.example");
        foreach (LogSource source in world.Logs.Sources)
        {
            await world.ForwardAsync(source);
        }
        Assert.False(await StalledAsync());
        world.Clock.Advance(Standstill.After + TimeSpan.FromSeconds(1));
        Assert.True(await StalledAsync(), "the look-back stands");
        // What is listed goes on changing, which opens look-backs and does not end this one.
        await world.SetAsync("one", "bad.example", "a.example", "b.example");
        foreach (LogSource source in world.Logs.Sources)
        {
            await world.ForwardAsync(source);
        }
        Assert.True(await StalledAsync(), "the look-back still stands");
        await world.SettleAsync();
        Assert.False(await StalledAsync());

        async Task<bool> StalledAsync() => (await world.States.GetAsync(default)).Stalled;
    }

    [Fact]
    public async Task Look_backs_of_two_sources_keep_their_own_index_until_they_are_done()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("names", "DomainNameSet");
        await world.FeedAsync("addresses", "IPSet");
        await world.SetAsync("names", "other.example");
        await world.DnsAsync([.. Enumerable.Range(0, 10).Select(i => $"n{i}.example")]);
        await world.FlowsAsync([.. Enumerable.Range(0, 10).Select(i => $"192.0.2.{i}")]);
        await world.SettleAsync();
        LogSource dns = Dns(world);
        LogSource flow = world.Logs.Sources.First(s => s.Kind == LogKind.Flow);
        // The DNS source opens the look-back of the first change only, the flow source those of both.
        await world.SetAsync("names", [.. Enumerable.Range(0, 10).Select(i => $"n{i}.example")]);
        await world.Snapshots.RefreshAsync(default);
        await world.ForwardAsync(dns);
        await world.SetAsync("addresses", "192.0.2.0/24");
        await world.Snapshots.RefreshAsync(default);
        await world.ForwardAsync(flow);

        // By hand, one window of each in turn.
        bool moved = true;
        while (moved)
        {
            moved = await world.LookBack.StepAsync(dns, default) == StepResult.Moved;
            moved |= await world.LookBack.StepAsync(flow, default) == StepResult.Moved;
        }
        Assert.Equal(20, (await world.HitsAsync()).Count);
        Assert.Equal(0, world.Targets.Count);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Look_backs_of_two_sources_at_once_miss_nothing(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.FeedAsync("addresses", "IPSet");
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"n{i}.example")];
        await world.DnsAsync(names);
        await world.FlowsAsync([.. Enumerable.Range(0, 20).Select(i => $"192.0.2.{i}")]);
        await world.SettleAsync();
        for (int part = 0; part < 4; part++)
        {
            await world.SetAsync("names", names[..(part * 5 + 5)]);
            await world.SetAsync("addresses", [.. Enumerable.Range(0, part * 5 + 5).Select(i => $"192.0.2.{i}")]);
            foreach (LogSource source in world.Logs.Sources)
            {
                while (await world.ForwardAsync(source) != StepResult.Idle)
                {
                }
            }
            await Task.WhenAll(world.Logs.Sources.Select(s => Task.Run(async () =>
            {
                while (await world.LookBack.StepAsync(s, default) != StepResult.Idle)
                {
                }
            }))).WaitAsync(Patience);
            Assert.Equal((part + 1) * 10, (await world.HitsAsync()).Count);
            Assert.Equal(0, world.Targets.Count);
        }
    }

    private static LogSource Dns(SearchWorld world) => world.Logs.Sources.First(s => s.Kind == LogKind.Dns);

    private static SearchLoops Loops(SearchWorld world, SearchSignals signals)
    {
        var store = new ResourceStore(TimeProvider.System);
        var health = new SearchHealth(world.Catalog, new FeedStatusWriter(world.Contexts, store), world.States, NullLogger<SearchHealth>.Instance, TimeProvider.System);
        return new SearchLoops(world.Logs, world.Forward, world.Book, health, signals) { Doze = TimeSpan.FromMilliseconds(20) };
    }

    /// <summary>Sources whose forward search has begun.</summary>
    private static async Task<int> SearchedAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        return await db.Progress.CountAsync(p => p.Generation > 0);
    }

    private static async Task BackdateAsync(SearchWorld world, LogSource source, TimeSpan by)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        DateTime at = await db.NowAsync(default) - by;
        await db.Progress.Where(p => p.Source == source.Id).ExecuteUpdateAsync(u => u.SetProperty(p => p.SeenAt, at));
    }
}
