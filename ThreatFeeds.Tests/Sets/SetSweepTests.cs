using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Sets;

/// <summary>Sets that are swept while somebody writes them.</summary>
public sealed class SetSweepTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_set_swept_while_it_is_written_is_written_once_more(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        var contexts = new InterruptedContexts(world.Contexts);
        // Written and not yet named: the transaction that names it is the second context of the feed's.
        contexts.Interrupt(2, async () =>
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await world.Stored.DeleteAsync(await db.StoredSets.Select(s => s.Id).SingleAsync(), default);
        });
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        builder.Add("bad.example"u8.ToArray());

        SetChange? change = await new ListedSets(contexts, world.Stored, world.Listings).ReplaceAsync(feed, builder.Build(), new SetSource("d", "", null, null), default);

        Assert.True(contexts.Interrupted);
        Assert.Equal(new SetChange(RunOutcome.Replaced, 1, 0), change);
        Assert.Equal(["bad.example"], (await world.Sets.IndicatorsAsync("one", null, 10, default)).Items);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Of_a_set_that_another_came_before_nothing_is_left(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        var contexts = new InterruptedContexts(world.Contexts);
        contexts.Interrupt(2, () => world.SetAsync("one", "a.example", "b.example"));
        SetChange? change = await new ListedSets(contexts, world.Stored, world.Listings).ReplaceAsync(feed, Indicators.Sets.Of("a.example", "c.example"), new SetSource("d", "", null, null), default);
        Assert.True(contexts.Interrupted);
        Assert.Equal(new SetChange(RunOutcome.Replaced, 1, 1), change);
        await using ThreatFeedsContext db = world.Contexts.Create();
        // The first, the other's with what it added, and this one with what it added.
        Assert.Equal(5, await db.StoredSets.CountAsync());
        Assert.Equal(4, await db.StoredSets.CountAsync(s => db.Listings.Any(l => l.SetId == s.Id) || db.ListingChanges.Any(c => c.AddedSetId == s.Id)));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_a_change_added_is_kept_until_every_source_has_passed_it(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.DnsAsync("b.example");
        await world.SettleAsync();
        await world.SetAsync("one", "a.example", "b.example");
        // The set and what it adds, which only the change names; the one before is named by nothing.
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        await world.RetainAsync();
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal(2, await db.StoredSets.CountAsync());
        await world.SettleAsync();
        Assert.Single(await world.HitsAsync());
        await world.RetainAsync();
        Assert.Equal(1, await db.StoredSets.CountAsync());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_set_being_written_is_not_swept_by_a_process_whose_clock_is_ahead(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        // The machine that writes is years behind the database.
        await world.Stored.WriteAsync(world.Stored.Date(IndicatorSet.Empty(ContentKind.IPSet), null), new SetSource("", "", null, null), default);
        Assert.Equal(0, await new SetSweeper(world.Contexts).SweepAsync(default));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_set_that_is_named_while_it_is_about_to_be_swept_stays(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        long id = await world.Stored.WriteAsync(world.Stored.Date(IndicatorSet.Empty(ContentKind.DomainNameSet), null), new SetSource("", "", null, null), default);
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        var contexts = new InterruptedContexts(world.Contexts);
        contexts.Interrupt(2, async () =>
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await db.Listings.ExecuteUpdateAsync(u => u.SetProperty(l => l.SetId, id));
        });
        Assert.Equal(0, await new SetSweeper(contexts).SweepAsync(default));
        Assert.True(contexts.Interrupted);
        Assert.NotNull(await world.Stored.ReadAsync(id, default));
    }

    [Fact]
    public async Task A_set_of_a_later_form_is_not_read_as_one_of_ours()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await using ThreatFeedsContext db = world.Contexts.Create();
        await db.StoredSets.ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, 3));
        long id = (await db.Listings.SingleAsync()).SetId!.Value;
        Assert.Contains("3", (await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.ReadAsync(id, default))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.SinceAsync(id, "bad.example"u8.ToArray(), default));
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.PageAsync(id, null, 0, 10, default));
    }
}
