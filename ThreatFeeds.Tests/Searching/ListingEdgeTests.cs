using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>What a change of what is listed must do, one rule at a time.</summary>
public sealed class ListingEdgeTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_a_smaller_set_removed_hits_no_more(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example", "b.example");
        await world.DnsAsync("a.example");
        await world.SettleAsync();
        long before = await GenerationAsync(world);

        await world.SetAsync("one", "b.example");
        Assert.Equal(before + 1, await GenerationAsync(world));
        await world.Snapshots.RefreshAsync(default);
        await world.DnsAsync("a.example", "b.example");
        await world.SettleAsync();

        Assert.Equal(["a.example", "b.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Widening_to_subdomains_looks_back(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("below.bad.example");
        await world.SettleAsync();
        Assert.Empty(await world.HitsAsync());

        await world.FeedAsync("one", "DomainNameSet", below: true);
        await world.SettleAsync();

        Assert.Equal("below.bad.example", Assert.Single(await world.HitsAsync()).Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_source_closed_and_back_is_compared_with_what_was_listed_and_forgotten_meanwhile(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.SettleAsync();
        // Another process closed the source, passed the change with its own and forgot it; this one still has the snapshot before.
        await world.SetAsync("one", "a.example", "x.example");
        string dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns).Id;
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            await db.Progress.Where(p => p.Source == dns).ExecuteDeleteAsync();
            long newest = await world.Snapshots.NewestGenerationAsync(default);
            await db.Progress.ExecuteUpdateAsync(u => u.SetProperty(p => p.Generation, newest));
        }
        await world.Listings.SweepAsync(default);
        await world.DnsAsync("x.example");
        await world.SettleAsync();
        Assert.Equal("x.example", Assert.Single(await world.HitsAsync()).Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_is_delisted_before_its_look_back_does_not_hit(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "other.example");
        await world.DnsAsync("gone.example", "stays.example");
        await world.SettleAsync();
        await world.SetAsync("one", "other.example", "gone.example", "stays.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        Assert.Equal(StepResult.Moved, await world.ForwardAsync(dns));

        await world.SetAsync("one", "other.example", "stays.example");
        while (await world.LookBack.StepAsync(dns, default) != StepResult.Idle)
        {
        }

        Assert.Equal("stays.example", Assert.Single(await world.HitsAsync()).Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Two_who_replace_a_set_at_once_leave_that_of_the_later_one_whole(StorageProvider provider)
    {
        var before = new BeforeReading("set_chunks");
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, wrap: before.Wrap);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.DnsAsync("a.example", "b.example", "c.example");
        await world.SettleAsync();
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        var second = new ListedSets(world.Contexts, world.Stored, world.Listings);

        // The first has seen which set is current and compares with it: the second is quicker, and adds b where the first adds c.
        before.Happens = async () => await second.ReplaceAsync(feed, Set("a.example", "b.example"), new SetSource("second", "", null, null), default);
        SetChange change = (await world.Sets.ReplaceAsync(feed, Set("a.example", "c.example"), new SetSource("first", "", null, null), default))!;

        // It began again against what the second left.
        Assert.Null(before.Happens);
        Assert.Equal((1L, 1L), (change.Added, change.Removed));
        await world.SettleAsync();
        Assert.Contains("c.example", (await world.HitsAsync()).Select(h => h.Value));
        Assert.Equal(["a.example", "c.example"], (await world.Sets.IndicatorsAsync("one", null, 10, default)).Items);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_forward_step_overtaken_by_another_at_the_same_mark_writes_nothing(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.DnsAsync("x.example");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await world.DnsAsync("y.example");
        // The mark stays where it is while the generation moves under the step: its look-backs would be opened twice, or not at all.
        world.DuringRead = async () =>
        {
            world.DuringRead = null;
            await world.SetAsync("one", "a.example", "x.example");
            await using ThreatFeedsContext db = world.Contexts.Create();
            long generation = await db.ReadAsync(Counters.Generation, default);
            await db.Progress.Where(p => p.Source == dns.Id).ExecuteUpdateAsync(u => u.SetProperty(p => p.Generation, generation));
        };

        Assert.Equal(StepResult.Lost, await world.ForwardAsync(dns));

        await using ThreatFeedsContext check = world.Contexts.Create();
        Assert.Equal(await check.ReadAsync(Counters.Generation, default), (await check.Progress.SingleAsync(p => p.Source == dns.Id)).Generation);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_snapshot_older_than_what_the_source_was_searched_at_is_not_used(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.SettleAsync();
        await world.SetAsync("one", "a.example", "b.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        // Another process has searched the source with the new set already; this one still holds the old.
        using var others = new Snapshots(world.Contexts, world.Stored);
        var commit = new HitCommit(world.Contexts, new HitWriter(world.Alerts, world.Clock), world.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<HitCommit>.Instance);
        var other = new ForwardSearch(world.Contexts, world.Logs, new RecordDecoder(world.Logs, new LogReaders([new CalicoReader()])), others, commit);
        while (await other.StepAsync(dns, default) != StepResult.Idle)
        {
        }
        Assert.True(world.Snapshots.Current.Generation < others.Current.Generation);

        await world.DnsAsync("b.example");
        Assert.Equal(StepResult.Moved, await world.ForwardAsync(dns));

        Assert.Equal("b.example", Assert.Single(await world.HitsAsync()).Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_feed_that_comes_to_cover_a_hit_counts_it_and_one_made_again_inherits_nothing(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("bad.example", "bad.example");
        await world.SettleAsync();
        await world.FeedAsync("two", "DomainNameSet");
        await world.SetAsync("two", "bad.example");
        await world.SettleAsync();
        Assert.Equal((2L, 2L), (await CountAsync(world, "one"), await CountAsync(world, "two")));

        await world.DeleteAsync("two");
        await world.FeedAsync("two", "DomainNameSet");
        Assert.Equal(0, await CountAsync(world, "two"));
        await world.SetAsync("two", "other.example");
        await world.DnsAsync("other.example");
        await world.SettleAsync();
        Assert.Equal((2L, 1L), (await CountAsync(world, "one"), await CountAsync(world, "two")));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_time_ahead_of_its_arrival_is_believed_for_five_minutes_only(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "soon.example", "never.example");
        long now = world.Clock.GetUtcNow().ToUnixTimeSeconds();
        await world.LinesAsync(LogKind.Dns, At("soon.example", now + 299), At("never.example", now + 301));
        await world.SettleAsync();

        Dictionary<string, long> times = (await world.HitsAsync()).ToDictionary(h => h.Value, h => h.Time / 1000);
        Assert.Equal((now + 299, now), (times["soon.example"], times["never.example"]));

        string At(string name, long end) => world.Dns(name).Replace($"\"end_time\":{now}", string.Create(CultureInfo.InvariantCulture, $"\"end_time\":{end}"), StringComparison.Ordinal);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task An_alert_about_old_logs_is_kept_as_long_after_it_was_opened(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        string line = world.Dns("bad.example");
        world.Clock.Advance(TimeSpan.FromDays(world.Alerts.RetentionDays + 1));
        await world.LinesAsync(LogKind.Dns, line);
        await world.SettleAsync();

        await world.RetainAsync();
        Assert.Single(await world.AlertsAsync());
        world.Clock.Advance(TimeSpan.FromDays(world.Alerts.RetentionDays) + TimeSpan.FromMinutes(1));
        await world.RetainAsync();
        Assert.Empty(await world.AlertsAsync());
        Assert.Empty(await world.HitsAsync());
    }

    private static IndicatorSet Set(params string[] names)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        foreach (string name in names)
        {
            builder.Add(System.Text.Encoding.ASCII.GetBytes(name));
        }
        return builder.Build();
    }

    private static async Task<long> CountAsync(SearchWorld world, string feed)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        return await db.FeedHits.Where(f => db.Listings.Any(l => l.Feed == feed && l.FeedUid == f.FeedUid)).SumAsync(f => f.Count);
    }

    private static async Task<long> GenerationAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        return await db.ReadAsync(Counters.Generation, default);
    }
}
