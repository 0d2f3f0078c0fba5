using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Sets;

/// <summary>Where deltas end, and what of them does not fit together.</summary>
public sealed class DeltaEdgeTests
{
    [Fact]
    public async Task A_delta_that_adds_what_its_base_has_is_damaged()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        await world.SetAsync("one", names[1..]);
        world.Clock.Advance(TimeSpan.FromDays(1));
        await world.SetAsync("one", names);
        StoredSetRow row = await CurrentAsync(world);
        Assert.Equal(100, (await world.Stored.ReadAsync(row.Id, default))!.Set.Count);
        // In place of what was removed, so that it comes twice; as many entries as before.
        IndicatorSet other = Indicators.Sets.Of(names[7]);
        await using ThreatFeedsContext db = world.Contexts.Create();
        byte[] first = other[0].ToArray(), data = SetChunkCodec.Encode(new DatedSet(other, [0]), 0, 1);
        Assert.Equal(1, await db.SetChunks.Where(c => c.SetId == row.Id && c.Removed).ExecuteUpdateAsync(u => u.SetProperty(c => c.First, first).SetProperty(c => c.Data, data)));
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.ReadAsync(row.Id, default));
    }

    [Fact]
    public async Task A_chunk_that_does_not_begin_with_the_entry_it_is_found_by_is_damaged()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example", "b.example");
        StoredSetRow row = await CurrentAsync(world);
        byte[] other = "b.example"u8.ToArray();
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal(1, await db.SetChunks.Where(c => c.SetId == row.Id).ExecuteUpdateAsync(u => u.SetProperty(c => c.First, other)));
        // Else the first entry would be looked for in no chunk.
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.ReadAsync(row.Id, default));
    }

    [Fact]
    public async Task Small_changes_are_stored_whole_once_they_are_a_twentieth_together()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 106).Select(i => $"n{i:000}.example")];
        await world.SetAsync("one", names[..100]);
        for (int more = 1; more <= 6; more++)
        {
            await world.SetAsync("one", names[..(100 + more)]);
            Assert.Equal(more <= 5, (await CurrentAsync(world)).BaseId is not null);
        }
    }

    [Fact]
    public async Task An_entry_that_a_delta_removes_is_listed_since_no_time()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        await world.SetAsync("one", names[1..]);
        StoredSetRow row = await CurrentAsync(world);
        Assert.True(IndicatorText.TryEncode(ContentKind.DomainNameSet, names[0], out byte[] removed));
        Assert.Null((await world.Stored.SinceAsync(row.Id, removed, default))!.At);
        Assert.NotNull((await world.Stored.SinceAsync(row.BaseId!.Value, removed, default))!.At);
    }

    private static async Task<StoredSetRow> CurrentAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        long? id = (await db.Listings.SingleAsync()).SetId;
        return await db.StoredSets.AsNoTracking().SingleAsync(s => s.Id == id);
    }
}
