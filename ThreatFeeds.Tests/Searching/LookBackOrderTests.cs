using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

public sealed class LookBackOrderTests
{
    [Fact]
    public async Task Look_backs_end_although_changes_come_more_often_than_a_pass_takes()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        world.LookBackWindow = new SearchWindow(10, 1000);
        world.ForwardWindow = new SearchWindow(1000, 1000);
        world.Rebuild();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await world.FeedAsync("one", "DomainNameSet");
        await world.DnsAsync([.. Enumerable.Range(0, 100).Select(i => $"n{i}.example")]);
        await world.SettleAsync();
        var set = new List<string>();
        const int Changes = 20;
        for (int change = 0; change < Changes; change++)
        {
            set.Add($"n{99 - change}.example");
            await world.SetAsync("one", [.. set]);
            await world.Snapshots.RefreshAsync(default);
            await world.ForwardAsync(dns);
            // A pass takes ten steps.
            for (int step = 0; step < 5; step++)
            {
                await world.LookBack.StepAsync(dns, default);
            }
        }
        await using ThreatFeedsContext db = world.Contexts.Create();
        // A pass ends every second change; what came meanwhile is searched together in the next.
        Assert.InRange(await db.LookBacks.CountAsync(), 0, 4);
        Assert.InRange((await world.HitsAsync()).Count, Changes - 4, Changes);
        await world.SettleAsync();
        Assert.Equal(Changes, (await world.HitsAsync()).Count);
    }
}
