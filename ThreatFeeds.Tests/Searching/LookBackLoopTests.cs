using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Feeds;
using ThreatFeeds.Logs;
using ThreatFeeds.Resources;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>What becomes of look-backs that fail, or are asked for while others are under way.</summary>
public sealed class LookBackLoopTests
{
    [Fact]
    public async Task A_look_back_that_failed_is_said_until_the_next_ask_takes_it_up_and_goes_on()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("bad.example", "bad.example", "bad.example");
        await world.SettleAsync();
        LogSource dns = await AddAsync(world, "bad.example");
        using SearchHealth health = Health(world, world.Contexts);
        var loop = new LookBackLoop(world.Logs, world.LookBack, health, world.Contexts);
        bool broken = true;
        world.DuringRead = () => broken ? throw new LogStoreException("broken") : Task.CompletedTask;

        await Assert.ThrowsAsync<LogStoreException>(() => loop.RunAsync(dns.Id, default));
        Assert.Equal([ConditionType.StoreFailed], (await world.Catalog.FindAsync("one", default))!.Status.ErrorConditions.Select(c => c.Type));

        broken = false;
        await loop.RunAsync(dns.Id, default);
        Assert.Equal(3, (await world.HitsAsync()).Count);
        Assert.Empty((await world.Catalog.FindAsync("one", default))!.Status.ErrorConditions);
        Assert.Empty(await loop.SourcesAsync(default));
        Assert.Equal(0, world.Targets.Count);
    }

    [Fact]
    public async Task A_look_back_asked_for_while_another_ends_is_done()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        // The first context that health makes comes when there was found to be nothing to do.
        var contexts = new InterruptedContexts(world.Contexts);
        using SearchHealth health = Health(world, contexts);
        var loop = new LookBackLoop(world.Logs, world.LookBack, health, world.Contexts);
        contexts.Interrupt(1, async () =>
        {
            await AddAsync(world, "bad.example");
            await loop.RunAsync(dns.Id, default);
            Assert.Empty(await world.HitsAsync());
        });
        await loop.RunAsync(dns.Id, default);
        Assert.True(contexts.Interrupted);
        Assert.Single(await world.HitsAsync());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Of_two_that_look_back_over_the_same_records_the_later_one_drops_its_work(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync([.. Enumerable.Repeat("bad.example", 5)]);
        await world.SettleAsync();
        LogSource dns = await AddAsync(world, "bad.example");
        bool first = true;
        world.DuringRead = async () =>
        {
            if (first)
            {
                first = false;
                Assert.Equal(StepResult.Moved, await world.LookBack.StepAsync(dns, default));
            }
        };
        Assert.Equal(StepResult.Lost, await world.LookBack.StepAsync(dns, default));
        await world.SettleAsync();
        Assert.Equal(5, (await world.HitsAsync()).Count);
        await world.CheckCountsAsync();
    }

    [Fact]
    public async Task What_is_looked_for_follows_what_is_listed_while_a_look_back_goes_on()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("sub.bad.example");
        await world.SettleAsync();
        LogSource dns = await AddAsync(world, "bad.example");
        await using ThreatFeedsContext db = world.Contexts.Create();
        long[] generations = [(await db.LookBacks.SingleAsync(l => l.Source == dns.Id)).Generation];
        Assert.False((await world.Targets.OfAsync(dns.Id, generations, default)).Added!.TryMatchName("sub.bad.example"u8, out _));
        await world.FeedAsync("one", "DomainNameSet", below: true);
        Assert.True((await world.Targets.OfAsync(dns.Id, generations, default)).Added!.TryMatchName("sub.bad.example"u8, out _));
        // Of other changes nothing is kept.
        Assert.Null((await world.Targets.OfAsync(dns.Id, [0], default)).Added);
    }

    [Fact]
    public async Task A_search_that_goes_on_failing_is_tried_again_every_half_minute()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("bad.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        world.DuringRead = () => throw new LogStoreException("broken");
        using var signals = new SearchSignals(world.Listings, world.Clock);
        using SearchHealth health = Health(world, world.Contexts);
        using var end = new CancellationTokenSource();
        Task running = new SearchLoops(world.Logs, world.Forward, world.Book, health, signals).RunAsync(end.Token);
        var tries = new List<DateTimeOffset>();
        await world.Clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () =>
        {
            int tried = world.HeadsRead(dns);
            if (tried > tries.Count)
            {
                tries.AddRange(Enumerable.Repeat(world.Clock.GetUtcNow(), tried - tries.Count));
            }
            return Task.FromResult(tries.Count >= 12);
        });
        // The first ones come quickly, and none later than half a minute after the one before.
        Assert.InRange(tries[3] - tries[0], TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.InRange(tries[11] - tries[10], TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(45));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    /// <summary>Lists names that are looked back for, and opens the look-backs.</summary>
    private static async Task<LogSource> AddAsync(SearchWorld world, params string[] names)
    {
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await world.SetAsync("one", names);
        Assert.Equal(StepResult.Moved, await world.Forward.StepAsync(dns, default));
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.NotEmpty(await db.LookBacks.Where(l => l.Source == dns.Id).ToListAsync());
        return dns;
    }

    private static SearchHealth Health(SearchWorld world, IContextFactory contexts) => new(
        new FeedCatalog(contexts, new ResourceStore(world.Clock)), new FeedStatusWriter(world.Contexts, new ResourceStore(world.Clock)), world.States, NullLogger<SearchHealth>.Instance, world.Clock);
}
