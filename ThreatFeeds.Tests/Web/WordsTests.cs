using ThreatFeeds.Web.Shared;
using Xunit;

namespace ThreatFeeds.Tests.Web;

public sealed class WordsTests
{
    [Theory]
    [InlineData(0, "0 alerts")]
    [InlineData(1, "1 alert")]
    [InlineData(2, "2 alerts")]
    [InlineData(1_234_567, "1,234,567 alerts")]
    public void One_is_one_and_all_others_are_many(long count, string words) => Assert.Equal(words, Words.Many(count, "alert", "alerts"));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(9, "now")]
    [InlineData(10, "10 s ago")]
    [InlineData(59, "59 s ago")]
    [InlineData(60, "1 min ago")]
    [InlineData(3_599, "59 min ago")]
    [InlineData(3_600, "1 h ago")]
    [InlineData(48 * 3_600 - 1, "47 h ago")]
    [InlineData(48 * 3_600, "2 d ago")]
    public void A_time_ago_is_said_in_the_unit_that_fits(int seconds, string words)
    {
        var now = new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        Assert.Equal(words, Words.Ago(now.AddSeconds(-seconds), now));
    }
}
