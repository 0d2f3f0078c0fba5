using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Listings;

public sealed class ListedSetsTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_large_set_comes_back_as_it_was_over_several_chunks(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 70_000).Select(i => $"host-{i * 7919 % 70_001}.example")];
        await world.SetAsync("one", names);

        long id;
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            id = (await db.Listings.SingleAsync()).SetId!.Value;
            Assert.Equal(2, await db.SetChunks.CountAsync(c => c.SetId == id));
        }
        IndicatorSet set = (await world.Stored.ReadAsync(id, default))!.Set;
        Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), Enumerable.Range(0, set.Count).Select(set.Text));

        var paged = new List<string>();
        string? after = null;
        do
        {
            Page<string> page = await world.Sets.IndicatorsAsync("one", after, 9_000, default);
            paged.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(set.Count, paged.Distinct().Count());
        Assert.Equal(set.Count, paged.Count);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task An_entry_that_stays_keeps_the_time_it_is_listed_since(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "old.example", "gone.example");
        DateTimeOffset first = world.Clock.GetUtcNow();
        world.Clock.Advance(TimeSpan.FromDays(2));
        await world.SetAsync("one", "old.example", "new.example");

        await using ThreatFeedsContext db = world.Contexts.Create();
        long id = (await db.Listings.SingleAsync()).SetId!.Value;
        Assert.Equal(first, (await world.Stored.SinceAsync(id, "old.example"u8.ToArray(), default))!.At);
        Assert.Equal(world.Clock.GetUtcNow(), (await world.Stored.SinceAsync(id, "new.example"u8.ToArray(), default))!.At);
        Assert.Null((await world.Stored.SinceAsync(id, "gone.example"u8.ToArray(), default))!.At);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_same_set_again_makes_no_generation(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example", "b.example");
        long before = await GenerationAsync(world);

        await world.SetAsync("one", "b.example", "a.example");

        Assert.Equal(before, await GenerationAsync(world));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_nothing_can_ask_for_any_more_is_swept(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync("a.example");
        await world.SettleAsync();
        await world.SetAsync("one", "a.example");
        await world.SetAsync("one", "a.example", "b.example");
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        // The look-back of the first set is still to come: it must find what was added.
        await world.RetainAsync();
        await world.SettleAsync();
        Assert.Single(await world.HitsAsync());
        await world.RetainAsync();

        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal((await db.Listings.SingleAsync()).SetId, (await db.StoredSets.SingleAsync()).Id);
        Assert.Empty(await db.ListingChanges.ToListAsync());
    }

    private static async Task<long> GenerationAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        return await db.ReadAsync(Counters.Generation, default);
    }
}
