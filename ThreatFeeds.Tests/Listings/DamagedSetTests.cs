using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Listings;

/// <summary>A set whose rows were lost or spoiled is told with its feed and the way out, and that way works.</summary>
public sealed class DamagedSetTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Damages => ["a chunk lost", "a chunk short", "bytes changed", "the row lost"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task After_a_start_the_other_feeds_are_searched_for_and_the_next_body_makes_up_for_it(string damage)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "bad.example", "worse.example");
        await DamageAsync(world, damage);
        await world.FeedAsync("others", "DomainNameSet");
        await world.SetAsync("others", "other.example");
        await world.RestartAsync();

        await world.DnsAsync("bad.example", "worse.example", "other.example");
        await world.SettleAsync();

        Assert.Equal(["other.example"], (await world.HitsAsync()).Select(h => h.Value));
        // It is not claimed to be searched for.
        Assert.False((await world.States.GetAsync(default)).Idle);
        Assert.Equal(["names"], await world.Sets.DamagedAsync(default));
        Assert.Contains("feed names is damaged", Assert.Single(world.Snapshots.Current.Damaged).Problem, StringComparison.Ordinal);
        Assert.Contains("Pull or push the feed once more", world.Snapshots.Current.Damaged[0].Problem, StringComparison.Ordinal);
        // What decides "unchanged" before a body is read finds nothing to compare with.
        Assert.NotEqual("bad.example,worse.example", (await world.Sets.CurrentAsync((await world.Catalog.FindAsync("names", default))!.Feed.Uid, default))?.Digest);

        await world.SetAsync("names", "bad.example", "worse.example").WaitAsync(Patience);
        await world.SettleAsync();
        Assert.Equal(["bad.example", "other.example", "worse.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
        Assert.True((await world.States.GetAsync(default)).Idle);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_was_found_damaged_stays_so_until_it_is_replaced(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "bad.example");
        byte[] good;
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            good = (await db.SetChunks.SingleAsync()).Data;
        }
        await DamageAsync(world, "bytes changed");
        await world.RestartAsync();
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            // The disk gives the right bytes again. The records passed meanwhile were not compared with them.
            await db.SetChunks.ExecuteUpdateAsync(u => u.SetProperty(c => c.Data, good));
        }
        await world.SetAsync("names", "bad.example");
        await world.SettleAsync();
        Assert.Single(await world.HitsAsync());
    }

    [Fact]
    public async Task A_look_back_of_others_ends_beside_a_feed_of_which_nothing_can_be_read()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("names", "DomainNameSet");
        await world.FeedAsync("others", "DomainNameSet");
        await world.DnsAsync("bad.example", "other.example");
        await world.SettleAsync();
        await world.SetAsync("names", "bad.example");
        await DamageAsync(world, "a chunk lost");
        await world.SetAsync("others", "other.example");
        await world.SettleAsync();
        Assert.Equal(["other.example"], (await world.HitsAsync()).Select(h => h.Value));
        await world.SetAsync("names", "bad.example");
        await world.SettleAsync();
        Assert.Equal(["bad.example", "other.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
    }

    [Fact]
    public async Task A_pulled_feed_whose_set_is_damaged_is_pulled_at_the_next_dispatch_and_says_so_until_then()
    {
        using var folder = new TemporaryFolder();
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using (FeedsHost host = await FeedsHost.CreateAsync(folder.Path))
        {
            await host.PullAsync(await host.CreateAsync("names", "DomainNameSet", server.Url));
            await host.AlterAsync(async db =>
            {
                await db.SetChunks.ExecuteDeleteAsync();
                await db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1)));
            });
        }
        server.Answer = c =>
        {
            c.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using FeedsHost again = await FeedsHost.CreateAsync(folder.Path, s => FeedsHost.AddJobs(s, folder.Path));
        await again.StartAsync();
        await FeedsHost.UntilAsync(async () => (await again.ConditionsAsync("names")).Any(c => c.Type == ConditionType.SearchFailed && c.Message.Contains("feed names is damaged", StringComparison.Ordinal)));
        await again.Get<DispatchJob>().RunAsync(default);
        await FeedsHost.UntilAsync(() => Task.FromResult(server.Requests.Count == 2));
        server.Answer = c => c.Response.WriteAsync("bad.example\n");
        await again.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1))));
        await again.Get<DispatchJob>().RunAsync(default);
        await FeedsHost.UntilAsync(async () => (await again.ConditionsAsync("names")).Count == 0);
        Assert.Equal(["bad.example"], await again.IndicatorsAsync("names"));
    }

    [Fact]
    public async Task A_pull_of_the_same_body_replaces_it()
    {
        using var folder = new TemporaryFolder();
        var conditional = new List<bool>();
        await using HostileServer server = await HostileServer.StartAsync(context =>
        {
            conditional.Add(context.Request.Headers.IfNoneMatch.Count > 0);
            context.Response.Headers.ETag = "\"one\"";
            return context.Response.WriteAsync("bad.example\nworse.example\n");
        });
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.PullAsync(feed);
        Assert.Equal(RunOutcome.Unchanged, (await host.PullAsync(feed)).Outcome);
        long id = 0;
        await host.AlterAsync(async db =>
        {
            id = (await db.Listings.SingleAsync()).SetId!.Value;
            db.SetChunks.Remove(await db.SetChunks.SingleAsync(c => c.SetId == id));
        });
        await Assert.ThrowsAsync<DamagedSetException>(() => host.Get<StoredSets>().ReadAsync(id, default));

        Assert.Equal(RunOutcome.Replaced, (await host.PullAsync(feed)).Outcome);
        Assert.Equal(["bad.example", "worse.example"], await host.IndicatorsAsync("names"));
        Assert.Equal([false, true, false], conditional);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_damaged_set_may_be_replaced_by_one_with_nothing_in_it(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "bad.example");
        await world.SettleAsync();
        await DamageAsync(world, "bytes changed");

        await world.SetAsync("names").WaitAsync(Patience);
        await world.Snapshots.RefreshAsync(default);
        await world.DnsAsync("bad.example");
        await world.SettleAsync();

        Assert.Empty(await world.HitsAsync());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_look_back_whose_added_entries_are_damaged_takes_all_that_the_feed_lists(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "other.example");
        await world.DnsAsync("bad.example", "good.example");
        await world.SettleAsync();
        await world.SetAsync("names", "other.example", "bad.example");
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            long added = await db.ListingChanges.OrderByDescending(c => c.Generation).Select(c => c.AddedSetId!.Value).FirstAsync();
            Assert.Equal(1, await db.SetChunks.Where(c => c.SetId == added).ExecuteDeleteAsync());
        }
        await world.SettleAsync();
        Assert.Equal("bad.example", Assert.Single(await world.HitsAsync()).Value);
        Assert.True((await world.States.GetAsync(default)).Idle);
    }

    private static async Task DamageAsync(SearchWorld world, string damage)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        long id = (await db.Listings.SingleAsync(l => l.Feed == "names")).SetId!.Value;
        SetChunkRow chunk = await db.SetChunks.SingleAsync(c => c.SetId == id);
        switch (damage)
        {
            case "a chunk lost":
                db.SetChunks.Remove(chunk);
                break;
            case "a chunk short":
                chunk.Data = chunk.Data[..^4];
                break;
            case "bytes changed":
                chunk.Data = [.. chunk.Data.Select(b => (byte)~b)];
                break;
            default:
                db.SetChunks.Remove(chunk);
                db.StoredSets.Remove(await db.StoredSets.SingleAsync(s => s.Id == id));
                break;
        }
        await db.SaveChangesAsync();
    }
}
