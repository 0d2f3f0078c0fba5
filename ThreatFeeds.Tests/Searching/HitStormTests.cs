using ThreatFeeds.Searching;
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
}
