using ThreatFeeds.Parsing;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

/// <summary>The last thing that is still taken, and the first that is not.</summary>
public sealed class BoundaryTests
{
    [Theory]
    [InlineData("192.0.2.1-192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1:65535", "192.0.2.1")]
    [InlineData("11.0.0.0/8", "11.0.0.0/8")]
    [InlineData("2001::/16", "2001::/16")]
    [InlineData("\uFEFF192.0.2.1", "192.0.2.1")]
    public async Task The_widest_and_narrowest_addresses_are_taken(string body, string expected)
    {
        ParseResult result = await Parse.AddressesAsync(body);
        Assert.Equal((expected, 0L), (Assert.Single(Parse.Texts(result)), result.RefusedCount));
    }

    [Theory]
    [InlineData("192.0.2.2-192.0.2.1")]
    [InlineData("192.0.2.1:65536")]
    [InlineData("10.0.0.0/7")]
    [InlineData("2000::/15")]
    public async Task Beyond_them_they_are_refused(string body) => Assert.Equal(1, (await Parse.AddressesAsync(body)).RefusedCount);

    [Fact]
    public async Task A_hash_inside_an_entry_is_part_of_it_and_behind_a_space_a_comment()
    {
        ParseResult names = await Parse.NamesAsync("http://bad.example/#x\nhttp://worse.example/a#b # why\n# bad.test\nother.example #\n", urls: true);
        Assert.Equal(["bad.example", "other.example", "worse.example"], Parse.Texts(names).Order());
        Assert.Equal(3, names.Cleaned["comment"]);
        ParseResult refused = await Parse.NamesAsync("good.example\nbad.example#x\n");
        Assert.Equal(["good.example"], Parse.Texts(refused));
        Assert.Equal("bad.example#x", Assert.Single(refused.Refusals).Text);
    }

    [Fact]
    public async Task A_line_of_one_MiB_is_read_and_a_longer_one_is_refused()
    {
        string words = "bad.example #" + new string('x', LineReader.MaxLine - 13);
        ParseResult whole = await Parse.NamesAsync($"{words}\n");
        Assert.Equal((1L, 0L), (whole.AcceptedEntries, whole.RefusedCount));
        ParseResult longer = await Parse.NamesAsync($"{words}x\nother.example\n");
        Assert.Equal("line over 1 MiB", Assert.Single(longer.Refusals).Reason);
        Assert.Equal(["other.example"], Parse.Texts(longer));
    }

    [Theory]
    [InlineData("0.0.0.0 localhost")]
    [InlineData("127.0.0.1 localhost.localdomain")]
    [InlineData("127.0.0.1 local")]
    [InlineData("255.255.255.255 broadcasthost")]
    [InlineData("0.0.0.0 0.0.0.0")]
    [InlineData("::1 ip6-loopback")]
    public async Task Names_of_the_machine_itself_are_no_entries_of_a_hosts_file(string line)
    {
        ParseResult result = await Parse.NamesAsync($"{line}\n0.0.0.0 bad.example\n");
        Assert.Equal(["bad.example"], Parse.Texts(result));
        Assert.Equal((0L, 1L), (result.RefusedCount, result.Cleaned["local name"]));
    }

    [Fact]
    public async Task A_refusal_in_a_table_names_the_line_its_record_begins_on()
    {
        ParseResult result = await Parse.NamesAsync("a.example,1\nno such,2\n\"b c\",\"two\nlines\"\nd e,4\n", Parse.Csv(0));
        Assert.Equal([2L, 3L, 5L], result.Refusals.Select(r => r.Line));
    }
}
