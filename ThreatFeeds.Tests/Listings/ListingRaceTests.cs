using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Listings;

/// <summary>A set that lands in the middle of a change of its feed, on the database where both can be under way.</summary>
public sealed class ListingRaceTests
{
    [PostgresFact]
    public async Task A_set_that_lands_while_its_feed_is_enabled_is_searched_for() =>
        Assert.Equal(["bad.example"], await HitsAsync("UPDATE listings SET", before: "Disabled", after: "Enabled"));

    [PostgresFact]
    public async Task A_set_that_lands_while_its_feed_comes_to_match_subdomains_is_searched_for_with_them() =>
        Assert.Equal(["bad.example", "x.bad.example"], await HitsAsync("UPDATE listings SET", before: "Enabled", after: "Enabled", below: true));

    [PostgresFact]
    public async Task A_set_that_lands_while_its_feed_is_disabled_hits_nothing_that_comes_later() =>
        Assert.Empty(await HitsAsync("UPDATE listings SET", before: "Enabled", after: "Disabled"));

    [PostgresFact]
    public async Task A_set_that_lands_while_its_feed_is_deleted_hits_nothing_that_comes_later() =>
        Assert.Empty(await HitsAsync("DELETE FROM listings", before: "Enabled", after: null));

    /// <summary>Values that hit after a set landed just before the statement of the change.</summary>
    private static async Task<string[]> HitsAsync(string statement, string before, string? after, bool below = false)
    {
        var race = new BeforeStatement(statement);
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Postgres, wrap: race.Wrap);
        await world.FeedAsync("one", "DomainNameSet", before);
        await world.DnsAsync("bad.example", "x.bad.example");
        await world.SettleAsync();
        Task landing = Task.CompletedTask;
        race.Happens = async () =>
        {
            landing = Task.Run(async () =>
            {
                await world.SetAsync("one", "bad.example");
                await world.Snapshots.RefreshAsync(default);
            });
            // It either lands now, or has to wait for the change.
            await FeedsHost.UntilAsync(async () => landing.IsCompleted || await LockWaits.AnyAsync(world.Contexts));
        };
        await (after is null ? world.DeleteAsync("one") : world.FeedAsync("one", "DomainNameSet", after, below));
        Assert.Null(race.Happens);
        await landing;
        await world.SettleAsync();
        if (after != "Enabled")
        {
            await world.DnsAsync("bad.example");
        }
        await world.SettleAsync();
        SearchState state = await world.States.GetAsync(default);
        Assert.True(state.Idle);
        return [.. (await world.HitsAsync()).Select(h => h.Value).Order()];
    }
}
