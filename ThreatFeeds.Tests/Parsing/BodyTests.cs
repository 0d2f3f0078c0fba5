using System.Text;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

public sealed class BodyTests
{
    [Theory]
    [InlineData("", "The body is empty.")]
    [InlineData("\n  \n", "The body is empty.")]
    [InlineData("# a\n # b\n", "The body holds only comments.")]
    [InlineData("\n<!DOCTYPE html><html>", "The body is an HTML page, not a list: check the URL, and whether the server asks for a login.")]
    public async Task A_body_without_a_list_is_unusable(string body, string expected)
    {
        ParseResult result = await Parse.NamesAsync(body);
        Assert.Equal(expected, result.Unusable);
        Assert.Equal(0, result.Set.Count);
    }

    [SharedDataTheory]
    [InlineData("feeds/ip/ipsum.txt.gz", ContentKind.IPSet, "csv: {fieldNum: 0, columnDelimiter: \"\\t\"")]
    [InlineData("feeds/domain/blocklistproject-ransomware-ags.txt", ContentKind.DomainNameSet, "adblock")]
    [InlineData("feeds/domain/blocklistproject-ransomware-dnsmasq.txt.gz", ContentKind.DomainNameSet, "csv: {fieldNum: 1, columnDelimiter: \"/\"")]
    [InlineData("feeds/domain/blocklistproject-ransomware-nl.txt", ContentKind.IPSet, "content: DomainNameSet")]
    [InlineData("feeds/ip/ipsum-level3.txt.gz", ContentKind.DomainNameSet, "content: IPSet")]
    [InlineData("feeds/hosts/fademind-add.Risk", ContentKind.IPSet, "content: DomainNameSet")]
    [InlineData("feeds/stix/amnesty-cytrox.stix2.gz", ContentKind.DomainNameSet, "STIX")]
    [InlineData("feeds/json/aws-ip-ranges.json.gz", ContentKind.IPSet, "json: {path: '$.prefixes[*].ip_prefix'}")]
    [InlineData("feeds/json/cloudflare-ranges.json", ContentKind.IPSet, "json: {path: '$[*]'}")]
    [InlineData("feeds/csv/zeek-intel-gru-aa25.intel", ContentKind.IPSet, "columnDelimiter: \"\\t\"")]
    public async Task Another_format_is_named_with_the_stanza_that_reads_it(string file, ContentKind content, string expected)
    {
        ParseResult result = await Parse.BytesAsync(SharedData.Read(file), content);
        Assert.Contains(result.Problems, p => p.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("utf-16", true, "UTF-16")]
    [InlineData("utf-16", false, "UTF-16 (little-endian)")]
    [InlineData("utf-16BE", true, "UTF-16")]
    [InlineData("utf-16BE", false, "UTF-16 (big-endian)")]
    [InlineData("utf-32", true, "UTF-32")]
    public async Task A_body_in_another_encoding_is_told_in_every_format(string name, bool mark, string expected)
    {
        Encoding encoding = Encoding.GetEncoding(name);
        foreach ((FeedFormat format, string text) in new (FeedFormat, string)[] { (Parse.Lines, "bad.example\r\nworse.example\r\n"), (Parse.Csv(number: 0), "bad.example,1\r\n"), (new FeedFormat.Json("$"), "[\"bad.example\"]") })
        {
            byte[] body = [.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes(text)];
            Assert.Contains(expected, (await Parse.BytesAsync(body, ContentKind.DomainNameSet, format)).Unusable, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("$TTL 60\n@ SOA localhost. root.localhost. (1 2 3 4 5)\n  NS localhost.\nbad.example CNAME .\n*.bad.example CNAME .\nworse.example CNAME .\n*.worse.example CNAME .\n", "zone file", " ")]
    [InlineData("bad.example.\tIN\tA\t127.0.0.1\nworse.example.\t300\tIN\tA\t127.0.0.1\n", "zone file", "\\t")]
    [InlineData("server:\nlocal-zone: \"bad.example\" always_nxdomain\nlocal-zone: \"worse.example\" redirect\nlocal-zone: \"c.example\" static\nlocal-zone: \"d.example\" static\n", "Unbound", " ")]
    [InlineData("local-data: \"bad.example A 0.0.0.0\"\nlocal-data: \"worse.example A 0.0.0.0\"\n", "Unbound", null)]
    [InlineData("// blocked\nzone \"bad.example\" { type master; file \"null\"; };\nzone \"worse.example\" { type master; file \"null\"; };\n", "BIND", null)]
    public async Task What_name_servers_read_is_named_with_the_stanza_that_reads_it_where_one_does(string body, string expected, string? delimiter)
    {
        string problem = Assert.Single((await Parse.NamesAsync(body)).Problems);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
        Assert.Equal(delimiter is null, problem.Contains("no format reads", StringComparison.Ordinal));
        if (delimiter is null)
        {
            return;
        }
        Assert.Contains($"columnDelimiter: \"{delimiter}\"", problem, StringComparison.Ordinal);
        int column = expected == "Unbound" ? 1 : 0;
        Assert.Contains($"fieldNum: {column}", problem, StringComparison.Ordinal);
        // The stanza as it is offered.
        var csv = new FeedFormat.Csv(column, null, false, delimiter == "\\t" ? '\t' : delimiter[0], expected == "Unbound" ? '#' : ';', null, true);
        ParseResult read = await Parse.NamesAsync(body, csv);
        Assert.Contains("bad.example", Parse.Texts(read));
        Assert.Contains("worse.example", Parse.Texts(read));
    }

    [Theory]
    [InlineData("$.deny", "{\"allow\":[\"a.example\"]}", "The path $.deny finds nothing. The document has the keys: allow.")]
    [InlineData("$", "{\"allow\":[\"a.example\"]}", "The path $ gives an object, not a list of strings.")]
    [InlineData("$.a", "{\"a\":\"a.example\"}", "The path $.a gives one string, not a list of strings.")]
    [InlineData("$.a", "{\"a\":[]}", "The list at $.a is empty.")]
    [InlineData("$.a[*]", "{\"a\":[{\"v\":\"a.example\"}]}", "Add the key that holds the indicator; the first has: v.")]
    [InlineData("$.*.l", "{\"a\":{\"l\":[\"a.example\"]},\"b\":{\"l\":[\"b.example\"]}}", "Add [*] to take the elements of each: $.*.l[*]")]
    [InlineData("$.a", "{\"a\":[\"a.exam", "The body is not readable JSON")]
    [InlineData("$.a", "a.example\nb.example", "format: {newlineDelimited: {}}")]
    [InlineData("$.a", "<html></html>", "HTML")]
    [InlineData("$.a[", "{}", "The path is no JSONPath")]
    public async Task JSON_without_a_list_of_strings_is_explained(string path, string body, string expected)
    {
        ParseResult result = await Parse.NamesAsync(body, new FeedFormat.Json(path));
        Assert.Contains(expected, result.Unusable, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JSON_lists_are_read_whole_or_by_elements_and_what_is_no_string_is_refused()
    {
        ParseResult whole = await Parse.NamesAsync("\uFEFF[\"a.example\",1,null,\"\",\"B.example\"]", new FeedFormat.Json("$."));
        Assert.Equal(["a.example", "b.example"], Parse.Texts(whole));
        Assert.Equal((2, 2), (whole.Refused["not a string"], whole.Refusals[0].Line));
        Assert.Equal(1, whole.Cleaned["empty value"]);
        ParseResult keyed = await Parse.NamesAsync("[{\"v\":\"a.example\"},{},{\"v\":\"b.example\"}]", new FeedFormat.Json("$[*].v"));
        Assert.Equal(2, keyed.Set.Count);
        Assert.Equal(0, keyed.RefusedCount);
    }

    [Fact]
    public async Task JSON_nested_deeper_than_64_is_unusable()
    {
        Assert.NotNull((await Parse.NamesAsync(new string('[', 65) + new string(']', 65), new FeedFormat.Json("$"))).Unusable);
    }

    [Fact]
    public async Task CSV_columns_are_found_by_name_and_shown()
    {
        ParseResult result = await Parse.NamesAsync("type,name\ndomain,bad.example\nip,192.0.2.1\n", Parse.Csv(name: "name", header: true));
        Assert.Equal(["bad.example"], Parse.Texts(result));
        Assert.Equal(1, result.Skipped);
        Assert.Equal([new FeedColumn(0, "type", "domain"), new FeedColumn(1, "name", "bad.example")], result.Columns);
    }

    [Theory]
    [InlineData("a,b\n1,2\n", "The header has no column \"name\". It has: \"a\", \"b\".")]
    [InlineData("#type,name\ndomain,bad.example\n", "stands only in a line that is skipped as a comment")]
    [InlineData("#name,type\nbad.example,domain\n", "use header: false and fieldNum: 0")]
    [InlineData("type,name\n", "The body has a header and no records.")]
    [InlineData("# x\n", "The body holds only comments.")]
    [InlineData("type,name\nx,\"bad.example\ny,z\n", "A quote opened in the record on line 2 is never closed")]
    [InlineData("<html>", "HTML")]
    public async Task CSV_that_cannot_be_read_is_explained(string body, string expected)
    {
        ParseResult result = await Parse.NamesAsync(body, Parse.Csv(name: "name", header: true, comment: '#'));
        Assert.Contains(expected, result.Unusable, StringComparison.Ordinal);
        Assert.Equal(0, result.Set.Count);
    }

    [Fact]
    public async Task Bad_CSV_records_are_refused_one_by_one()
    {
        ParseResult result = await Parse.NamesAsync("a.example,1\nb\"x.example,2\nc.example\n\"d.example\"x,4\n\"e.example\",5\n", Parse.Csv(number: 0));
        Assert.Equal(["a.example", "e.example"], Parse.Texts(result));
        Assert.Equal([2L, 3L, 4L], result.Refusals.Select(r => r.Line));
        Assert.Equal(["bare quote", "extraneous or missing quote", "wrong number of fields"], result.Refused.Keys.Order());
        ParseResult few = await Parse.NamesAsync("a.example,1\n", Parse.Csv(number: 2));
        Assert.Contains("2 columns", few.Unusable, StringComparison.Ordinal);
    }
}
