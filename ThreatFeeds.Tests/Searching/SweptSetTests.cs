using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>Sets that go while a look-back reads them.</summary>
public sealed class SweptSetTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_look_back_whose_set_is_replaced_and_swept_while_it_is_read_reads_the_newer_one(StorageProvider provider)
    {
        var before = new BeforeReading("stored_sets");
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, wrap: before.Wrap);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "a.example");
        await world.DnsAsync("b.example");
        await world.SettleAsync();
        await world.SetAsync("one", "a.example", "b.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        Assert.Equal(StepResult.Moved, await world.ForwardAsync(dns));
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            // What the change added is damaged, so that all its feed lists is read for it.
            long added = (await db.ListingChanges.OrderBy(c => c.Generation).LastAsync()).AddedSetId!.Value;
            Assert.Equal(1, await db.StoredSets.Where(s => s.Id == added).ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, 0)));
        }
        before.Happens = async () =>
        {
            await world.SetAsync("one", "a.example", "b.example", "c.example");
            await world.AgeSetsAsync(TimeSpan.FromDays(2));
            Assert.True(await new SetSweeper(world.Contexts).SweepAsync(default) > 0);
        };
        await world.LookBack.StepAsync(dns, default);
        Assert.Null(before.Happens);
        await world.SettleAsync();
        Assert.Equal("b.example", Assert.Single(await world.HitsAsync()).Value);
    }
}
