using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

public sealed class EntryRulesTests
{
    [Theory]
    [InlineData("Bad.Example", "bad.example", "upper case")]
    [InlineData("bad.example.", "bad.example", "trailing dot")]
    [InlineData("bücher.example", "xn--bcher-kva.example", "Unicode name")]
    [InlineData("*.bad.example", "*.bad.example", "wildcard")]
    [InlineData(".bad.example", "*.bad.example", "wildcard")]
    [InlineData("bad[.]example", "bad.example", "defanged")]
    [InlineData("  bad.example\t", "bad.example", "surrounding space")]
    [InlineData("bad.example # why", "bad.example", "comment")]
    [InlineData("bad.example\r\n", "bad.example", "CRLF")]
    [InlineData("\uFEFFbad.example", "bad.example", "byte order mark")]
    [InlineData("0.0.0.0 bad.example", "bad.example", "hosts-file line")]
    [InlineData("bad.example\n\n", "bad.example", "blank line")]
    [InlineData("bad.example\nBAD.example", "bad.example", "repeat")]
    public async Task A_name_is_accepted_and_what_was_cleaned_is_counted(string body, string expected, string reason)
    {
        ParseResult result = await Parse.NamesAsync(body);
        Assert.Null(result.Unusable);
        Assert.Equal([expected], Parse.Texts(result));
        Assert.Equal(1, result.Cleaned[reason]);
        Assert.Equal(0, result.RefusedCount);
    }

    [Theory]
    [InlineData("192.0.2.1:8080", "192.0.2.1", "port")]
    [InlineData("[2001:db8::1]:80", "2001:db8::1", "port")]
    [InlineData("[2001:db8::1]", "2001:db8::1", "brackets")]
    [InlineData("192.0.2.7/24", "192.0.2.0/24", "host bits")]
    [InlineData("192.0.2.1-192.0.2.4", "192.0.2.1 192.0.2.2/31 192.0.2.4", "range")]
    [InlineData("192.0.2.0 - 192.0.2.255", "192.0.2.0/24", "range")]
    [InlineData("192[.]0[.]2[.]1", "192.0.2.1", "defanged")]
    public async Task An_address_is_accepted_and_what_was_cleaned_is_counted(string body, string expected, string reason)
    {
        ParseResult result = await Parse.AddressesAsync(body);
        Assert.Equal(expected.Split(' '), Parse.Texts(result));
        Assert.Equal(1, result.Cleaned[reason]);
        Assert.Equal(1, result.AcceptedEntries);
    }

    [Theory]
    [InlineData("http://bad.example/x", "URL")]
    [InlineData("hxxps://bad[.]example", "URL")]
    [InlineData("bad.example/x", "path")]
    [InlineData("/x.sh", "path")]
    [InlineData("bad.example:80", "name with port")]
    [InlineData("a@bad.example", "e-mail address")]
    [InlineData("localhost", "single label")]
    [InlineData(".zip", "single label")]
    [InlineData("a b.example", "several columns")]
    [InlineData("-a.example", "hyphen at an edge")]
    [InlineData("a..example", "empty label")]
    [InlineData("bad*.example", "not a name")]
    public async Task What_is_no_name_is_refused_with_its_reason(string body, string reason)
    {
        ParseResult result = await Parse.NamesAsync("good.example\n" + body);
        Assert.Equal([new Refusal(2, body, reason).Reason], result.Refused.Keys);
        Assert.Equal(2, result.Refusals[0].Line);
        Assert.Equal(1, result.AcceptedEntries);
    }

    [Theory]
    [InlineData("10.0.0.0/7", "too wide")]
    [InlineData("0.0.0.0-255.255.255.255", "too wide")]
    [InlineData("2001::/15", "too wide")]
    [InlineData("192.0.2.1/33", "path")]
    [InlineData("1.2.3", "not an address")]
    [InlineData("fe80::1%eth0", "not an address")]
    [InlineData("AS64496", "not an address")]
    [InlineData("192.0.2.1\t10", "several columns")]
    public async Task What_is_no_address_is_refused_with_its_reason(string body, string reason)
    {
        ParseResult result = await Parse.AddressesAsync("192.0.2.9\n" + body);
        Assert.Equal([reason], result.Refused.Keys);
    }

    [Fact]
    public async Task A_reserved_block_passes_with_a_warning()
    {
        ParseResult result = await Parse.AddressesAsync("224.0.0.0/4\nfe80::/10\n10.0.0.0/8\n11.0.0.0/8");
        Assert.Equal(4, result.Set.Count);
        Assert.Equal(3, result.Problems.Count);
        Assert.Contains(result.Problems, p => p.Contains("224.0.0.0/4", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Entries_of_the_other_kind_are_skipped_and_not_refused()
    {
        ParseResult names = await Parse.NamesAsync("bad.example\n192.0.2.1\n192.0.2.1:80\n2001:db8::/32\nhttp://x.example/");
        Assert.Equal((1, 3, 1), (names.AcceptedEntries, names.Skipped, names.RefusedCount));
        ParseResult addresses = await Parse.AddressesAsync("192.0.2.1\n*.bad.example\nbad.example.");
        Assert.Equal((1, 2, 0), (addresses.AcceptedEntries, addresses.Skipped, addresses.RefusedCount));
    }

    [Theory]
    [InlineData("https://user@bad.example:8443/x?y#z", "bad.example")]
    [InlineData("hxxp://bad[.]example/x", "bad.example")]
    [InlineData("bad.example/x", "bad.example")]
    public async Task The_host_of_a_URL_is_taken_when_the_feed_asks_for_it(string body, string expected)
    {
        ParseResult result = await Parse.NamesAsync(body, urls: true);
        Assert.Equal([expected], Parse.Texts(result));
        Assert.Equal(1, result.Cleaned["URL"]);
        Assert.Equal(1, (await Parse.AddressesAsync("http://192.0.2.1:80/x", urls: true)).Set.Count);
        Assert.Equal(1, (await Parse.NamesAsync("http://192.0.2.1/x", urls: true)).Skipped);
    }

    [Fact]
    public async Task Every_name_of_a_hosts_line_is_read_but_those_of_the_machine_itself()
    {
        ParseResult result = await Parse.NamesAsync("127.0.0.1 localhost\n0.0.0.0 0.0.0.0\n0.0.0.0 a.example b.example # both\n::1 ip6-loopback\n0.0.0.0 host");
        Assert.Equal(["a.example", "b.example"], Parse.Texts(result));
        Assert.Equal(3, result.Cleaned["local name"]);
        Assert.Equal(1, result.Refused["single label"]);
    }

    [Fact]
    public async Task Refused_lines_are_shown_a_hundred_times_and_counted_all()
    {
        ParseResult result = await Parse.NamesAsync(string.Join('\n', Enumerable.Range(0, 250).Select(i => $"http://{i}.example/{new string('x', 300)}")));
        Assert.Equal(250, result.RefusedCount);
        Assert.Equal(100, result.Refusals.Count);
        Assert.All(result.Refusals, r => Assert.Equal(200, r.Text.Length));
        Assert.Equal(100, result.Refusals[^1].Line);
    }

    [Fact]
    public async Task Broken_UTF_8_and_endless_lines_are_refused_and_reading_goes_on()
    {
        byte[] body = [.. "a.example\n"u8, 0xFF, .. ".example\n"u8, .. Encoding.ASCII.GetBytes(new string('x', 3 << 20)), .. "\nb.example"u8];
        ParseResult result = await Parse.BytesAsync(body, ContentKind.DomainNameSet);
        Assert.Equal(["a.example", "b.example"], Parse.Texts(result));
        Assert.Equal(1, result.Refused["invalid UTF-8"]);
        Assert.Equal(1, result.Refused["line over 1 MiB"]);
        Assert.Equal(3, result.Refusals[1].Line);
    }

    [Fact]
    public async Task Lines_are_the_same_however_the_stream_is_cut()
    {
        byte[] body = Encoding.UTF8.GetBytes("\uFEFF" + string.Join("\r\n", Enumerable.Range(0, 30000).Select(i => $"n{i}.example")));
        var settings = new ParseSettings(ContentKind.DomainNameSet, Parse.Lines, false);
        ParseResult whole = await Parse.BytesAsync(body, ContentKind.DomainNameSet);
        ParseResult cut = await FeedParser.ParseAsync(new DrippingStream(body, 777), settings, CancellationToken.None);
        Assert.Equal(30000, whole.Set.Count);
        Assert.Equal(0, IndicatorSetDifference.Compare(whole.Set, cut.Set).RemovedCount);
        Assert.Equal(whole.Cleaned, cut.Cleaned);
    }

    private sealed class DrippingStream(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }

    [Fact]
    public async Task A_hash_begins_a_comment_only_after_space()
    {
        ParseResult result = await Parse.NamesAsync("bad.example # seen\nworse.example\t#seen\n# all of it\nnot.example#part\n");
        Assert.Equal(["bad.example", "worse.example"], Parse.Texts(result));
        Assert.Equal((3L, 1L), (result.Cleaned["comment"], result.RefusedCount));
        Assert.Equal((4L, "not.example#part"), (result.Refusals[0].Line, result.Refusals[0].Text));
        ParseResult urls = await Parse.NamesAsync("https://bad.example/#/login\n", urls: true);
        Assert.Equal(["bad.example"], Parse.Texts(urls));
        Assert.False(urls.Cleaned.ContainsKey("comment"));
    }
}
