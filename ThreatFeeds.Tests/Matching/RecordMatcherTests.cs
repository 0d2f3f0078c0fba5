using System.Diagnostics;
using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Matching;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Matching;

public sealed class RecordMatcherTests
{
    private static readonly IndicatorIndex s_all = Index(["old.example", "new.example"], ["192.0.2.1", "192.0.2.2"]);

    [Fact]
    public void A_value_in_two_fields_of_a_record_is_found_once_in_the_first()
    {
        var matcher = new RecordMatcher(s_all);
        matcher.Look(HitField.QueryName, "OLD.example."u8);
        matcher.Look(HitField.RecordName, "old.example"u8);
        matcher.Look(HitField.SourceIp, "192.0.2.1"u8);
        matcher.Look(HitField.DestinationIp, "::ffff:192.0.2.1"u8);
        Assert.Equal([(HitField.QueryName, "old.example"), (HitField.SourceIp, "192.0.2.1")], matcher.Found.Select(f => (f.Field, f.Value)));
        matcher.Next();
        Assert.Empty(matcher.Found);
    }

    [Fact]
    public void A_record_with_very_many_listed_values_is_compared_in_seconds()
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        Assert.True(IndicatorText.TryEncode(ContentKind.DomainNameSet, "*.x.example", out byte[] below));
        builder.Add(below);
        var matcher = new RecordMatcher(IndicatorIndex.Build([new IndexedFeed("one", builder.Build(), false)]));
        const int values = 200_000;
        // Time that grew with the square of the values would be many minutes.
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < values; i++)
        {
            matcher.Look(HitField.RecordData, Encoding.ASCII.GetBytes($"{i:x5}.x.example"));
            Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), $"{i} values took 20 s");
        }
        Assert.Equal(values, matcher.Found.Count);
    }

    [Fact]
    public void A_look_back_finds_only_what_was_added()
    {
        var matcher = new RecordMatcher(s_all, Index(["new.example"], ["192.0.2.2"]));
        matcher.Look(HitField.QueryName, "old.example"u8);
        matcher.Look(HitField.QueryName, "new.example"u8);
        matcher.Look(HitField.SourceIp, "192.0.2.1"u8);
        matcher.Look(HitField.DestinationIp, "192.0.2.2"u8);
        Assert.Equal(["new.example", "192.0.2.2"], matcher.Found.Select(f => f.Value));
    }

    [Fact]
    public void What_was_added_and_is_listed_no_more_is_not_found()
    {
        var matcher = new RecordMatcher(Index(["other.example"], ["192.0.2.9"]), s_all);
        matcher.Look(HitField.QueryName, "new.example"u8);
        matcher.Look(HitField.DestinationIp, "192.0.2.2"u8);
        Assert.Empty(matcher.Found);
    }

    private static IndicatorIndex Index(string[] names, string[] addresses) =>
        IndicatorIndex.Build([new("names", Set(ContentKind.DomainNameSet, names), false), new("addresses", Set(ContentKind.IPSet, addresses), false)]);

    private static IndicatorSet Set(ContentKind content, string[] entries)
    {
        var builder = new IndicatorSetBuilder(content);
        foreach (string entry in entries)
        {
            Assert.True(IndicatorText.TryEncode(content, entry, out byte[] encoded));
            builder.Add(encoded);
        }
        return builder.Build();
    }
}
