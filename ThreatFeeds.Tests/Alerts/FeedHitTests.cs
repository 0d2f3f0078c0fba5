using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>What is counted for a feed is what this feed found, not one that had its name before.</summary>
public sealed class FeedHitTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_feed_made_again_counts_each_hit_its_look_back_finds_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await FeedAsync("bad.example");
        await world.DnsAsync("bad.example", "bad.example");
        await world.SettleAsync();
        await world.DeleteAsync("one");
        await FeedAsync("bad.example");
        Assert.Equal(2, await CountAsync());
        // Listed a second time by the same feed, they are found again and not counted again.
        await FeedAsync("other.example");
        await FeedAsync("bad.example");
        Assert.Equal(2, await CountAsync());
        Assert.All(await new AlertQueries(world.Contexts, world.Logs).LastHitsAsync("bad.example", 10, default), h => Assert.Equal(["one"], h.Feeds));

        async Task FeedAsync(string indicator)
        {
            await world.FeedAsync("one", "DomainNameSet");
            await world.SetAsync("one", indicator);
            await world.SettleAsync();
        }

        async Task<long> CountAsync()
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            Guid uid = (await db.Listings.SingleAsync()).FeedUid;
            return await db.FeedHits.Where(f => f.FeedUid == uid).SumAsync(f => f.Count);
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_hit_of_an_earlier_version_is_not_counted_twice(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        await using ThreatFeedsContext db = world.Contexts.Create();
        await db.Hits.ExecuteUpdateAsync(u => u.SetProperty(h => h.Feeds, "one"));
        await world.SetAsync("one", "other.example");
        await world.SetAsync("one", "bad.example");
        await world.SettleAsync();
        Assert.Equal(1, await db.FeedHits.SumAsync(f => f.Count));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_counts_of_a_deleted_feed_go_with_retention(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        foreach (string feed in new[] { "one", "two" })
        {
            await world.FeedAsync(feed, "DomainNameSet");
            await world.SetAsync(feed, "bad.example");
        }
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        await world.DeleteAsync("one");
        await world.RetainAsync();
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal((await db.Listings.SingleAsync()).FeedUid, (await db.FeedHits.SingleAsync()).FeedUid);
    }
}
