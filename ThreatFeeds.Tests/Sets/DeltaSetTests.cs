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

/// <summary>A set that differs little from the one before is stored as what it adds and removes; nobody who reads it sees a difference.</summary>
public sealed class DeltaSetTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Any_sequence_of_changes_reads_back_exactly_whichever_way_it_was_stored(StorageProvider provider)
    {
        (int wholes, int deltas) = (0, 0);
        for (int seed = 1; seed <= 4; seed++)
        {
            var random = new Random(seed);
            await using SearchWorld world = await SearchWorld.CreateAsync(provider);
            await world.FeedAsync("one", "DomainNameSet");
            var model = new Dictionary<string, long>(StringComparer.Ordinal);
            // From a narrow range, so that names go and come again.
            string[] all = [.. Enumerable.Range(0, 900).Select(i => $"{(i % 7 == 0 ? "*." : "")}n{i * 7919 % 1000}.example")];
            Change(model, all[..600], [], world);
            await world.SetAsync("one", [.. model.Keys]);
            for (int step = 0; step < 14; step++)
            {
                world.Clock.Advance(TimeSpan.FromSeconds(random.Next(3)));
                int most = random.Next(5) == 0 ? 100 : 8;
                Change(model, [.. Pick(random, all, random.Next(most))], [.. Pick(random, all, random.Next(most))], world);
                await world.SetAsync("one", [.. model.Keys]);

                StoredSetRow row = await CurrentAsync(world);
                (wholes, deltas) = row.BaseId is null ? (wholes + 1, deltas) : (wholes, deltas + 1);
                await CheckAsync(world, row, model, random);
                if (random.Next(4) == 0)
                {
                    await world.AgeSetsAsync(TimeSpan.FromHours(2));
                    await new SetSweeper(world.Contexts).SweepAsync(default);
                    await CheckAsync(world, row, model, random);
                }
            }
        }
        Assert.True(wholes > 5 && deltas > 20, $"{wholes} stored whole, {deltas} as deltas");
    }

    [Fact]
    public async Task A_delta_on_a_base_of_several_chunks_reads_back_and_costs_little()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        var model = new Dictionary<string, long>(StringComparer.Ordinal);
        string[] all = [.. Enumerable.Range(0, 150_000).Select(i => $"{i * 7919L % 150_001:x}-{i * 104_729L % 150_001:x}.example")];
        Change(model, all[..149_000], [], world);
        await ReplaceAsync(world, model);
        long whole = await BytesAsync(world);
        var random = new Random(9);
        for (int step = 1; step <= 3; step++)
        {
            world.Clock.Advance(TimeSpan.FromDays(1));
            string[] sorted = [.. model.Keys.Order(StringComparer.Ordinal)];
            // At the edges of chunks and of the set, too; what was the first entry comes again.
            Change(model, [.. Pick(random, all, 80), "zzz.example", "0.example"], [sorted[0], sorted[^1], sorted[SetChunkCodec.Entries], sorted[SetChunkCodec.Entries - 1], .. Pick(random, sorted, 70)], world);
            long before = await BytesAsync(world);
            await ReplaceAsync(world, model);
            StoredSetRow row = await CurrentAsync(world);
            Assert.NotNull(row.BaseId);
            await CheckAsync(world, row, model, random);
            long written = await BytesAsync(world) - before;
            // One line of a thousand changed; the second time both changes are written, and what was added stands apart for looking back.
            Assert.True(written < whole * 2 / 100, $"{written} of {whole} bytes");
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_base_stays_as_long_as_a_set_shares_its_chunks_and_goes_with_the_last(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet", "Disabled");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        long first = (await CurrentAsync(world)).Id;
        await world.SetAsync("one", [.. names, "x.example"]);
        await world.SetAsync("one", [.. names, "x.example", "y.example"]);
        StoredSetRow last = await CurrentAsync(world);
        Assert.Equal(first, last.BaseId);
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        await world.RetainAsync();
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal([first, last.Id], await db.StoredSets.Select(s => s.Id).Order().ToListAsync());
        Assert.Equal(102, (await world.Stored.ReadAsync(last.Id, default))!.Set.Count);

        await world.SetAsync("one", "z.example");
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        await world.RetainAsync();
        Assert.Equal((await CurrentAsync(world)).Id, (await db.StoredSets.SingleAsync()).Id);
        Assert.Equal(1, await db.SetChunks.CountAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_damaged_in_a_base_is_damaged_in_all_that_share_it_and_the_next_set_counts_all_as_added(bool lost)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        await world.SetAsync("one", [.. names, "x.example"]);
        StoredSetRow row = await CurrentAsync(world);
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            await (lost ? db.StoredSets.Where(s => s.Id == row.BaseId).ExecuteDeleteAsync()
                : db.SetChunks.Where(c => c.SetId == row.BaseId).ExecuteUpdateAsync(u => u.SetProperty(c => c.Data, new byte[] { 1, 2, 3 })));
        }
        await world.DnsAsync("n7.example", "x.example");
        await world.RestartAsync();
        await world.SettleAsync();
        Assert.Empty(await world.HitsAsync());
        Assert.Equal(["one"], await world.Sets.DamagedAsync(default));
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.ReadAsync(row.Id, default));

        await world.SetAsync("one", [.. names, "x.example"]);
        Assert.Null((await CurrentAsync(world)).BaseId);
        await world.SettleAsync();
        Assert.Equal(["n7.example", "x.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
    }

    [Fact]
    public async Task What_is_damaged_in_a_delta_leaves_its_base()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        await world.SetAsync("one", [.. names[1..], "x.example"]);
        StoredSetRow row = await CurrentAsync(world);
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal(1, await db.SetChunks.Where(c => c.SetId == row.Id && c.Removed).ExecuteDeleteAsync());
        await Assert.ThrowsAsync<DamagedSetException>(() => world.Stored.PageAsync(row.Id, null, 0, 10, default));
        Assert.Equal(100, (await world.Stored.ReadAsync(row.BaseId!.Value, default))!.Set.Count);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_delta_whose_naming_fails_leaves_the_set_before_it_and_is_written_once_more(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        StoredSetRow before = await CurrentAsync(world);
        // Contexts of the feed's: the listing, then the transaction that names what was written. The process ends in between.
        var contexts = new InterruptedContexts(world.Contexts);
        contexts.Interrupt(2, () =>
        {
            contexts.Away = true;
            return Task.CompletedTask;
        });
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        IndicatorSet next = Indicators.Sets.Of([.. names, "x.example"]);
        var away = new ListedSets(new Gate(contexts), world.Stored, world.Listings);
        await Assert.ThrowsAsync<InvalidOperationException>(() => away.ReplaceAsync(feed, next, new SetSource("2", "", null, null), default));
        Assert.Equal(before.Id, (await CurrentAsync(world)).Id);
        Assert.Equal(100, (await world.Stored.ReadAsync(before.Id, default))!.Set.Count);

        await world.Sets.ReplaceAsync(feed, next, new SetSource("2", "", null, null), default);
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        await new SetSweeper(world.Contexts).SweepAsync(default);
        StoredSetRow after = await CurrentAsync(world);
        Assert.Equal(before.Id, after.BaseId);
        Assert.Equal(101, (await world.Stored.ReadAsync(after.Id, default))!.Set.Count);
    }

    /// <summary>Refuses the very context whose turn it is when the database goes away, too.</summary>
    private sealed class Gate(InterruptedContexts inner) : IContextFactory
    {
        public ThreatFeedsContext Create()
        {
            ThreatFeedsContext made = inner.Create();
            return inner.Away ? throw new InvalidOperationException("The database is away.") : made;
        }

        public Task MigrateAsync(CancellationToken cancellationToken) => inner.MigrateAsync(cancellationToken);
    }

    private static IEnumerable<string> Pick(Random random, string[] from, int count) => Enumerable.Range(0, count).Select(_ => from[random.Next(from.Length)]);

    private static void Change(Dictionary<string, long> model, string[] add, string[] remove, SearchWorld world)
    {
        foreach (string name in remove)
        {
            model.Remove(name);
        }
        foreach (string name in add.Except(remove))
        {
            model.TryAdd(name, world.Clock.GetUtcNow().ToUnixTimeSeconds());
        }
    }

    private static async Task ReplaceAsync(SearchWorld world, Dictionary<string, long> model)
    {
        Feed feed = (await world.Catalog.FindAsync("one", default))!.Feed;
        await world.Sets.ReplaceAsync(feed, Indicators.Sets.Of([.. model.Keys]), new SetSource($"{model.Count} at {world.Clock.GetUtcNow()}", "", null, null), default);
    }

    private static async Task CheckAsync(SearchWorld world, StoredSetRow row, Dictionary<string, long> model, Random random)
    {
        string[] expected = [.. model.Keys.Order(StringComparer.Ordinal)];
        DatedSet set = (await world.Stored.ReadAsync(row.Id, default))!;
        Assert.Equal(expected.Length, row.Count);
        Assert.Equal(expected, Enumerable.Range(0, set.Set.Count).Select(set.Set.Text));
        Assert.Equal(expected.Select(name => model[name]), set.Since);

        int limit = expected.Length / 3 + 1;
        var paged = new List<string>();
        for (Page<string>? page = null; page is null || page.Next is not null;)
        {
            page = (await world.Stored.PageAsync(row.Id, null, page is null ? 0 : long.Parse(page.Next!), limit, default))!;
            paged.AddRange(page.Items);
        }
        Assert.Equal(expected, paged);
        foreach (string name in Pick(random, expected, 5).Append("n1.absent.example").Append(expected[0]).Append(expected[^1]))
        {
            Assert.True(IndicatorText.TryEncode(ContentKind.DomainNameSet, name, out byte[] encoded));
            Assert.Equal(model.TryGetValue(name, out long since) ? since : null, (await world.Stored.SinceAsync(row.Id, encoded, default))!.At?.ToUnixTimeSeconds());
        }
    }

    private static async Task<StoredSetRow> CurrentAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        long? id = (await db.Listings.SingleAsync()).SetId;
        return await db.StoredSets.AsNoTracking().SingleAsync(s => s.Id == id);
    }

    private static async Task<long> BytesAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        return await db.SetChunks.SumAsync(c => (long)c.Data.Length);
    }
}
