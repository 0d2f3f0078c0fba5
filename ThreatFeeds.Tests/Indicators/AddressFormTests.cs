using System.Text;
using ThreatFeeds.Indicators;
using Xunit;

namespace ThreatFeeds.Tests.Indicators;

/// <summary>Forms of addresses that are easily read for others.</summary>
public sealed class AddressFormTests
{
    [Theory]
    [InlineData("::ffff:0:0/96", "0.0.0.0/0")]
    [InlineData("::ffff:192.0.2.0/120", "192.0.2.0/24")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1/128", "192.0.2.1")]
    [InlineData("::ffff:0:0/95", "::fffe:0:0/95")]
    public void A_prefix_written_in_v4_mapped_form_is_v4_from_length_96_on(string text, string canonical)
    {
        Assert.True(IpPrefix.TryParse(Encoding.ASCII.GetBytes(text), out IpPrefix prefix, out _));
        Assert.Equal(canonical, prefix.ToString());
        Assert.Equal(canonical.Contains(':', StringComparison.Ordinal), prefix.Address.IsV6);
    }

    [Theory]
    [InlineData("192.0.02.1")]
    [InlineData("00.0.2.1")]
    [InlineData("192.0.2.010")]
    [InlineData("::ffff:192.0.02.1")]
    public void An_octet_with_a_leading_zero_is_no_address(string text) => Assert.False(IpValue.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Theory]
    [InlineData("2001:0:0:1:0:0:1:1", "2001::1:0:0:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("2001:0:1:1:1:1:1:1", "2001:0:1:1:1:1:1:1")]
    [InlineData("0:0:1:0:0:1:1:1", "::1:0:0:1:1:1")]
    public void The_longest_run_of_zeros_is_shortened_and_of_equal_ones_the_first(string text, string canonical)
    {
        Assert.True(IpValue.TryParse(Encoding.ASCII.GetBytes(text), out IpValue value));
        Assert.Equal(canonical, value.ToString());
    }
}
