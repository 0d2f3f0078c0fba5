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

/// <summary>When feeds say that everything was compared with them, and which of them say that a search failed.</summary>
public sealed class SearchStampTests
{
    [Fact]
    public async Task Feeds_with_a_look_back_under_way_or_a_damaged_set_and_disabled_ones_are_not_said_to_be_searched()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("compared", "DomainNameSet");
        await world.FeedAsync("damaged", "DomainNameSet");
        await world.FeedAsync("looking-back", "DomainNameSet");
        await world.FeedAsync("off", "DomainNameSet", "Disabled");
        await world.SetAsync("damaged", "other.example");
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        await world.SetAsync("looking-back", "bad.example");
        foreach (LogSource source in world.Logs.Sources)
        {
            while (await world.ForwardAsync(source) != StepResult.Idle)
            {
            }
        }
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            long id = (await db.Listings.SingleAsync(l => l.Feed == "damaged")).SetId!.Value;
            await db.StoredSets.Where(s => s.Id == id).ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, 0));
        }
        using SearchHealth health = Health(world);
        using var end = new CancellationTokenSource();
        Task stamping = health.StampAsync(end.Token);
        await world.Clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => await StampAsync(world, "compared") is not null);
        foreach (string feed in new[] { "damaged", "looking-back", "off" })
        {
            Assert.Null(await StampAsync(world, feed));
        }
        await world.SettleAsync();
        await world.Clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => await StampAsync(world, "looking-back") is not null);
        Assert.Null(await StampAsync(world, "damaged"));
        await EndAsync(stamping, end);
    }

    [Fact]
    public async Task A_feed_is_said_to_be_searched_at_most_once_a_minute_however_often_searching_comes_to_rest()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        using SearchHealth health = Health(world);
        using var end = new CancellationTokenSource();
        Task stamping = health.StampAsync(end.Token);
        var stamps = new SortedSet<DateTimeOffset>();
        await world.Clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () =>
        {
            health.Idle();
            if (await StampAsync(world, "one") is { } stamp)
            {
                stamps.Add(stamp);
            }
            return stamps.Count == 3;
        });
        Assert.All(stamps.Zip(stamps.Skip(1)), p => Assert.InRange(p.Second - p.First, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2)));
        await EndAsync(stamping, end);
    }

    [Fact]
    public async Task A_search_that_failed_is_said_on_enabled_feeds_until_it_fails_no_more()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.FeedAsync("off", "DomainNameSet", "Disabled");
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns), flow = world.Logs.Sources.First(s => s.Kind == LogKind.Flow);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("no disk"), default);
        await health.FailedAsync(SearchHealth.LookBack, flow, new InvalidOperationException("no reason"), default);
        Assert.Equal([ConditionType.SearchFailed, ConditionType.StoreFailed], await ConditionsAsync(world, "one"));
        Assert.Empty(await ConditionsAsync(world, "off"));
        await health.SucceededAsync(SearchHealth.Forward, dns, default);
        Assert.Equal([ConditionType.SearchFailed], await ConditionsAsync(world, "one"));
        await health.SucceededAsync(SearchHealth.LookBack, flow, default);
        Assert.Empty(await ConditionsAsync(world, "one"));
    }

    [Fact]
    public async Task A_failure_that_could_not_be_told_is_told_by_the_next_and_taken_back_only_by_a_success()
    {
        InterruptedContexts contexts = null!;
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite, wrap: database => contexts = new InterruptedContexts(database.Factory));
        await world.FeedAsync("one", "DomainNameSet");
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns), flow = world.Logs.Sources.First(s => s.Kind == LogKind.Flow);
        await health.FailedAsync(SearchHealth.Forward, flow, new LogStoreException("no disk"), default);
        contexts.Away = true;
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("no disk"), default);
        contexts.Away = false;
        // The other source works again; this one still fails.
        await health.SucceededAsync(SearchHealth.Forward, flow, default);
        Assert.Equal([ConditionType.StoreFailed], await ConditionsAsync(world, "one"));
        await health.SucceededAsync(SearchHealth.Forward, dns, default);
        Assert.Empty(await ConditionsAsync(world, "one"));
    }

    private static SearchHealth Health(SearchWorld world) => new(
        world.Catalog, new FeedStatusWriter(world.Contexts, new ResourceStore(world.Clock)), world.States, NullLogger<SearchHealth>.Instance, world.Clock);

    private static async Task<DateTimeOffset?> StampAsync(SearchWorld world, string feed) => (await world.Catalog.FindAsync(feed, default))!.Status.LastSuccessfulSearch;

    private static async Task<ConditionType[]> ConditionsAsync(SearchWorld world, string feed) =>
        [.. (await world.Catalog.FindAsync(feed, default))!.Status.ErrorConditions.Select(c => c.Type)];

    private static async Task EndAsync(Task work, CancellationTokenSource end)
    {
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work.WaitAsync(TimeSpan.FromMinutes(1)));
    }
}
