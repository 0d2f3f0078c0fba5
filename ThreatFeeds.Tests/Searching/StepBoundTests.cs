using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>What a step holds is bounded in bytes, and what it had no room for comes with the next.</summary>
public sealed class StepBoundTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Hits_of_long_lines_are_written_a_few_at_a_time_and_none_is_left_out(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.ForwardWindow = world.LookBackWindow = new SearchWindow(20_000, 10_000, Bytes: 250_000);
        world.Rebuild();
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        string pad = new('x', 100_000);
        string[] lines = [.. Enumerable.Range(0, 10).Select(i => world.Dns(i % 2 == 0 ? "bad.example" : "later.example").Replace("\"type\"", $"\"pad\":\"{pad}\",\"type\"", StringComparison.Ordinal))];
        await world.LinesAsync(LogKind.Dns, lines);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        var compared = new List<(long Records, int Hits)>();
        world.Forward.Compared += (records, hits) => compared.Add((records, hits.Count));

        Assert.Equal(StepResult.Moved, await world.ForwardAsync(dns));
        // Two lines have room: records 0 and 2.
        Assert.Equal((3L, 2), Assert.Single(compared));
        Assert.Equal(7, (await world.States.GetAsync(default)).Sources.Single(s => s.Kind == LogKind.Dns).Behind);
        await world.SettleAsync();
        Assert.Equal(5, (await world.HitsAsync()).Count);
        Assert.Equal(10, compared.Sum(c => c.Records));

        await world.SetAsync("one", "bad.example", "later.example");
        int steps = 0;
        world.LookBack.Moved += () => steps++;
        await world.SettleAsync();
        Assert.Equal(10, (await world.HitsAsync()).Count);
        Assert.Equal(3, steps);
    }

    [Fact]
    public void Storms_are_counted_in_bounded_room_and_the_storm_is_not_forgotten()
    {
        var tally = new StormTally();
        for (int step = 0; step < 100; step++)
        {
            string[] found = [.. Enumerable.Range(0, 1_000).Select(i => i % 20 == 0 ? "everyone.example" : $"n{step}-{i}.example")];
            tally.Add(1_000, found.Select(f => (f, (IReadOnlyList<string>)["one"])));
            Assert.InRange(tally.Count, 1, StormTally.Most);
        }
        Assert.Null(tally.Take(100_001));
        (long records, IReadOnlyDictionary<string, (long Count, IReadOnlyList<string> Feeds)> hits) = tally.Take(100_000)!.Value;
        Assert.Equal(100_000, records);
        Assert.InRange(hits["everyone.example"].Count, 4_500, 5_000);
        Assert.Equal(["one"], HitStorms.Judge(records, hits).Keys);
        Assert.Equal(0, tally.Count);
        Assert.Null(tally.Take(1));
    }
}
