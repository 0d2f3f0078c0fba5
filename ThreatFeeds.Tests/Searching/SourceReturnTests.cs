using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>Sources that were gone and are back.</summary>
public sealed class SourceReturnTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_source_back_goes_on_from_its_mark_when_it_missed_no_change_and_begins_again_when_it_did(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("bad.example", "worse.example");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        Position mark = (await world.States.GetAsync(default)).Places[dns.Id].Mark;

        await GoneAndBackAsync(() => Task.CompletedTask);
        Assert.Equal(mark, (await world.States.GetAsync(default)).Places[dns.Id].Mark);
        await world.SettleAsync();
        Assert.Equal(["bad.example"], (await world.HitsAsync()).Select(h => h.Value));

        await GoneAndBackAsync(async () =>
        {
            await world.SetAsync("one", "bad.example", "worse.example");
            while (await world.ForwardAsync(world.Logs.Sources.Single()) != StepResult.Idle)
            {
            }
            await world.Listings.SweepAsync(default);
        });
        Assert.Equal(Position.BeforeAll, (await world.States.GetAsync(default)).Places[dns.Id].Mark);
        await world.SettleAsync();
        Assert.Equal(["bad.example", "worse.example"], (await world.HitsAsync()).Select(h => h.Value).Order());
        await world.CheckCountsAsync();

        async Task GoneAndBackAsync(Func<Task> meanwhile)
        {
            world.Hide(dns);
            await using (ThreatFeedsContext db = world.Contexts.Create())
            {
                DateTime at = await db.NowAsync(default) - SourceBook.GoneAfter - TimeSpan.FromMinutes(1);
                await db.Progress.Where(p => p.Source == dns.Id).ExecuteUpdateAsync(u => u.SetProperty(p => p.SeenAt, at));
            }
            world.Clock.Advance(TimeSpan.FromMinutes(2));
            Assert.Equal([dns.Id], await world.Book.SeeAsync(world.Logs.Sources, default));
            // Once.
            world.Clock.Advance(TimeSpan.FromMinutes(2));
            Assert.Empty(await world.Book.SeeAsync(world.Logs.Sources, default));
            await meanwhile();
            world.ShowAll();
            world.Clock.Advance(TimeSpan.FromMinutes(2));
            await world.Book.SeeAsync(world.Logs.Sources, default);
            Assert.Empty((await world.States.GetAsync(default)).Gone);
        }
    }
}
