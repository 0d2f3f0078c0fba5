using System.Text.Json;
using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Indicators;

public sealed class IpValueTests
{
    [SharedDataFact]
    public void Addresses_are_read_in_the_forms_Go_accepts_and_no_others()
    {
        int accepted = 0;
        foreach (JsonElement c in Vectors())
        {
            string text = c.GetProperty("in").GetString()!, expected = c.GetProperty("netipAddr").GetString()!;
            bool zone = expected.Contains('%', StringComparison.Ordinal);
            bool ok = IpValue.TryParse(Encoding.UTF8.GetBytes(text), out IpValue value);
            Assert.True(ok == (expected.Length > 0 && !zone), text);
            if (ok)
            {
                accepted++;
                // parseIP shows v4-mapped addresses as v4, as we do.
                Assert.Equal(c.GetProperty("parseIP").GetString(), value.ToString());
            }
        }
        Assert.True(accepted > 20);
    }

    [SharedDataFact]
    public void Prefixes_are_read_in_the_forms_both_Go_parsers_accept_with_host_bits_cleared()
    {
        int accepted = 0;
        foreach (JsonElement c in Vectors())
        {
            string text = c.GetProperty("in").GetString()!, expected = c.GetProperty("parseCIDR").GetString()!;
            if (!text.Contains('/', StringComparison.Ordinal))
            {
                continue;
            }
            bool ok = IpPrefix.TryParse(Encoding.UTF8.GetBytes(text), out IpPrefix prefix, out bool hostBits);
            Assert.True(ok == (expected.Length > 0), text);
            if (ok)
            {
                accepted++;
                Assert.Equal(expected, $"{prefix.Address}/{prefix.Length}");
                string network = c.GetProperty("netipPrefix").GetString()!;
                Assert.Equal(network != expected && !network.StartsWith("::ffff:", StringComparison.Ordinal), hostBits);
            }
        }
        Assert.True(accepted > 20);
    }

    [Theory]
    [InlineData("::1.2.3.4", "::102:304")]
    [InlineData("1:0:0:2:0:0:0:3", "1:0:0:2::3")]
    [InlineData("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0")]
    [InlineData("0:0:1::", "0:0:1::")]
    [InlineData("::ffff:0:1", "0.0.0.1")]
    public void V6_is_written_as_RFC_5952_says(string text, string expected)
    {
        Assert.True(IpValue.TryParse(Encoding.ASCII.GetBytes(text), out IpValue value));
        Assert.Equal(expected, value.ToString());
    }

    [Theory]
    [InlineData("192.0.2.0", "192.0.2.255", "192.0.2.0/24")]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1", "192.0.2.6", "192.0.2.1 192.0.2.2/31 192.0.2.4/31 192.0.2.6")]
    [InlineData("0.0.0.0", "255.255.255.255", "0.0.0.0/0")]
    [InlineData("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0")]
    [InlineData("255.255.255.254", "255.255.255.255", "255.255.255.254/31")]
    public void A_range_is_covered_by_the_fewest_prefixes(string first, string last, string expected)
    {
        Assert.True(IpValue.TryParse(Encoding.ASCII.GetBytes(first), out IpValue a));
        Assert.True(IpValue.TryParse(Encoding.ASCII.GetBytes(last), out IpValue b));
        Assert.Equal(expected, string.Join(' ', IpPrefix.Cover(a, b)));
    }

    private static JsonElement.ArrayEnumerator Vectors() =>
        JsonDocument.Parse(SharedData.Read("vectors/go/ip-cidr.json")).RootElement.EnumerateArray();
}
