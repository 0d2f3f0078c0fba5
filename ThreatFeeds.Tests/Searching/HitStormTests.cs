using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

public sealed class HitStormTests
{
    [Fact]
    public void An_indicator_that_hits_more_than_one_record_in_a_hundred_is_named_on_its_feeds()
    {
        var hits = new Dictionary<string, (long, IReadOnlyList<string>)>
        {
            ["everyone.example"] = (250, ["one", "two"]),
            ["worse.example"] = (900, ["two"]),
            ["rare.example"] = (100, ["three"]),
        };

        Dictionary<string, string> storms = HitStorms.Judge(10_000, hits);

        Assert.Equal(["one", "two"], storms.Keys.Order());
        Assert.StartsWith("everyone.example hit 2.5 % of the last 10,000 records.", storms["one"], StringComparison.Ordinal);
        Assert.StartsWith("worse.example", storms["two"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_values_of_one_record_are_one_record_that_hit()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        world.ForwardWindow = new SearchWindow(1000, 1000);
        world.Rebuild();
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "*.x.example");
        var seen = new List<FoundHit>();
        world.Forward.Compared += (_, hits) => seen.AddRange(hits);
        string rdata = string.Join(",", Enumerable.Range(0, 150).Select(i => $"\"n{i}.x.example\""));
        string line = world.Dns("harmless.example").Replace("\"rrsets\":[]", "\"rrsets\":[{\"name\":\"a.example\",\"class\":\"IN\",\"type\":\"CNAME\",\"rdata\":[" + rdata + "]}]", StringComparison.Ordinal);
        await world.LinesAsync(LogKind.Dns, line, world.Dns("y.x.example"));
        await world.SettleAsync();
        Assert.Equal(151, seen.Count);

        Assert.Equal([("*.x.example", 1), ("*.x.example", 1)], HitStorms.Records(seen).Select(h => (h.Indicator, h.Feeds.Count)));
    }
}
