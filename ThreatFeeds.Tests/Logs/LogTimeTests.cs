using System.Text;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

public sealed class LogTimeTests
{
    [Theory]
    [InlineData("99999999999", "5138-11-16T09:46:39Z")]
    [InlineData("100000000000", "1973-03-03T09:46:40Z")]
    [InlineData("500000000000", "1985-11-05T00:53:20Z")]
    [InlineData("99999999999999", "5138-11-16T09:46:39.999Z")]
    [InlineData("100000000000000", "1973-03-03T09:46:40Z")]
    [InlineData("100000000000000000", "1973-03-03T09:46:40Z")]
    public void A_number_is_seconds_milliseconds_microseconds_or_nanoseconds_by_its_size(string text, string time)
    {
        Assert.True(LogTime.TryParse(Encoding.ASCII.GetBytes(text), out DateTimeOffset read));
        Assert.Equal(DateTimeOffset.Parse(time), read);
    }
}
