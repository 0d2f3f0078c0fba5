using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Resources;

public sealed class ResourceChangeLogTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task It_keeps_a_number_of_changes_and_says_from_where(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var clock = new ManualClock();
        var log = new ResourceChangeLog(database.Factory, clock);
        await FillAsync(database, 1, ResourceChangeLog.Most, clock);
        Assert.Equal(0, await log.CompactAsync(default));
        Assert.True(await log.RemembersSinceAsync(0, default));

        await FillAsync(database, ResourceChangeLog.Most + 1, 300, clock);
        Assert.Equal(300, await log.CompactAsync(default));

        await using ThreatFeedsContext db = database.Factory.Create();
        Assert.Equal((ResourceChangeLog.Most, 301L), (await db.ResourceChanges.CountAsync(), await db.ResourceChanges.MinAsync(c => c.ResourceVersion)));
        Assert.False(await log.RemembersSinceAsync(299, default));
        Assert.True(await log.RemembersSinceAsync(300, default));
        Assert.Equal(0, await log.CompactAsync(default));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task It_forgets_what_is_old_and_never_remembers_it_again(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var clock = new ManualClock();
        var log = new ResourceChangeLog(database.Factory, clock);
        await FillAsync(database, 1, 5, clock);
        clock.Advance(ResourceChangeLog.Longest - TimeSpan.FromMinutes(1));
        await FillAsync(database, 6, 3, clock);
        Assert.Equal(0, await log.CompactAsync(default));
        clock.Advance(TimeSpan.FromMinutes(2));
        long[] two = await Task.WhenAll(log.CompactAsync(default), log.CompactAsync(default));
        Assert.Equal(5, two.Sum());
        Assert.Equal((false, true), (await log.RemembersSinceAsync(4, default), await log.RemembersSinceAsync(5, default)));
        clock.Advance(ResourceChangeLog.Longest);
        Assert.Equal(3, await log.CompactAsync(default));
        Assert.Equal((false, true), (await log.RemembersSinceAsync(7, default), await log.RemembersSinceAsync(8, default)));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task It_keeps_a_number_of_bytes_and_whoever_writes_more_than_that_has_it_forget_the_oldest(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var clock = new ManualClock();
        var log = new ResourceChangeLog(database.Factory, clock);
        var store = new ResourceStore(clock);
        ResourceKey key = ResourceKey.Cluster(ResourceKind.GlobalNetworkSet, "a");
        const int large = 4 << 20;
        int most = (int)((ResourceChangeLog.MostBytes + ResourceChangeLog.Step) / large);
        for (int i = 0; i < 2 * most; i++)
        {
            await using ThreatFeedsContext db = database.Factory.Create();
            await using var transaction = await db.Database.BeginTransactionAsync();
            var content = new ResourceContent(new Dictionary<string, string>(), new Dictionary<string, string>(), new JsonObject { ["nets"] = $"{i}".PadRight(large, 'x') });
            Assert.IsType<ResourceResult.Ok>(i == 0 ? await store.CreateAsync(db, key, content, default) : await store.ReplaceAsync(db, key, content, ResourcePrecondition.None, default));
            await transaction.CommitAsync();
        }
        await using ThreatFeedsContext read = database.Factory.Create();
        Assert.InRange(await read.ResourceChanges.SumAsync(c => (long)c.Document.Length), ResourceChangeLog.MostBytes / 2, ResourceChangeLog.MostBytes + ResourceChangeLog.Step);
        long oldest = await read.ResourceChanges.MinAsync(c => c.ResourceVersion);
        Assert.Equal((false, true), (await log.RemembersSinceAsync(oldest - 2, default), await log.RemembersSinceAsync(oldest - 1, default)));
        await log.CompactAsync(default);
        Assert.InRange(await read.ResourceChanges.SumAsync(c => (long)c.Document.Length), ResourceChangeLog.MostBytes / 2, ResourceChangeLog.MostBytes);
    }

    [Fact]
    public async Task Writing_alone_deletes_no_change()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        var clock = new ManualClock();
        await FillAsync(database, 1, 5, clock);
        await using ThreatFeedsContext db = database.Factory.Create();
        await db.AddAsync(Counters.ResourceVersion, 256 * 100 - 1, default);
        await using var transaction = await db.Database.BeginTransactionAsync();
        var content = new ResourceContent(new Dictionary<string, string>(), new Dictionary<string, string>(), new JsonObject());
        await new ResourceStore(clock).CreateAsync(db, ResourceKey.Cluster(ResourceKind.GlobalNetworkSet, "a"), content, default);
        await transaction.CommitAsync();
        Assert.Equal(6, await db.ResourceChanges.CountAsync());
    }

    private static async Task FillAsync(TestDatabase database, long from, int count, ManualClock clock)
    {
        await using ThreatFeedsContext db = database.Factory.Create();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.ResourceChanges.AddRange(Enumerable.Range(0, count).Select(i => new ResourceChangeRow
        {
            ResourceVersion = from + i,
            Kind = "GlobalThreatFeed",
            Name = "a",
            Type = "MODIFIED",
            Document = "{}",
            At = clock.GetUtcNow().UtcDateTime,
        }));
        await db.SaveChangesAsync();
    }
}
