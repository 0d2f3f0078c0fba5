using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

/// <summary>Every published feed against figures counted by other programs.</summary>
public sealed class RealFeedTests
{
    // Forms that the figures count as invalid and we read.
    private static readonly string[] Rescuing = ["wildcard", "port", "brackets", "range", "defanged", "URL"];

    // "support¬forum.org": UTS 46 maps the sign, IDNA 2008, by which the figures were counted, forbids it.
    private static readonly Dictionary<string, int> NamesOfUts46Only = new() { ["feeds/domain/maltrail-apt_darkhotel.txt"] = 1 };

    [SharedDataFact]
    public async Task Newline_delimited_feeds_come_to_the_published_figures()
    {
        int feeds = 0;
        foreach (JsonElement f in Truth("feed-line-counts.json"))
        {
            string file = f.GetProperty("feed").GetString()!;
            ContentKind content = file.Contains("/ip/", StringComparison.Ordinal) ? ContentKind.IPSet : ContentKind.DomainNameSet;
            byte[] body = SharedData.Read(file);
            ParseResult result = await Parse.BytesAsync(body, content);
            feeds++;
            long addresses = Number(f, "valid_ip") + Number(f, "valid_cidr"), names = Number(f, "valid_domain");
            Assert.True(Number(f, "entries") == result.AcceptedEntries + result.Skipped + result.RefusedCount, file);
            Assert.True(Number(f, "blank") == Cleaned(result, "blank line"), file);
            Assert.True(Number(f, "comment_lines") + Number(f, "inline_comments") == Cleaned(result, "comment"), file);
            Assert.Equal(Number(f, "entries") == 0, result.Unusable is not null);
            AssertCounts(file, result, content == ContentKind.IPSet ? addresses : names, Number(f, content == ContentKind.IPSet ? "distinct_prefixes" : "distinct_domains"));
            int withPort = content == ContentKind.IPSet ? 0
                : Regex.Matches(Encoding.UTF8.GetString(body), @"^[ \t]*(?:\d+\.\d+\.\d+\.\d+:(\d+)|\[[0-9a-f:]+\](?::(\d+))?)[ \t]*(?:#.*)?\r?$", RegexOptions.Multiline)
                    .Count(m => ("0" + m.Groups[1].Value + m.Groups[2].Value) is { } port && int.Parse(port, CultureInfo.InvariantCulture) <= 65535);
            Assert.True(result.Skipped == (content == ContentKind.IPSet ? names : addresses + withPort), $"{file}: {result.Skipped} skipped");
        }
        Assert.True(feeds >= 45, feeds.ToString(CultureInfo.InvariantCulture));
    }

    [SharedDataFact]
    public async Task Hosts_files_come_to_the_published_figures()
    {
        foreach (JsonElement f in Truth("hosts-counts.json"))
        {
            string file = f.GetProperty("feed").GetString()!;
            ParseResult result = await Parse.BytesAsync(SharedData.Read(file), ContentKind.DomainNameSet);
            // The figures take localhost.localdomain for a name to block.
            int local = Encoding.UTF8.GetString(SharedData.Read(file)).Contains(" localhost.localdomain", StringComparison.Ordinal) ? 1 : 0;
            Assert.True(Number(f, "valid_domains") - local == result.AcceptedEntries, $"{file}: {result.AcceptedEntries} accepted: {Refused(result)}");
            Assert.True(Number(f, "distinct_domains") - local == result.Set.Count, $"{file}: {result.Set.Count} different");
            Assert.True(Number(f, "names") == result.AcceptedEntries + result.Skipped + result.RefusedCount + Cleaned(result, "local name"), $"{file}: {Refused(result)}");
            Assert.False(result.Set.Contains("0.0.0.0"u8));
        }
    }

    [SharedDataFact]
    public async Task Structured_feeds_come_to_the_published_figures()
    {
        int feeds = 0;
        foreach (JsonElement f in Truth("structured-feed-counts.json"))
        {
            string file = f.GetProperty("feed").GetString()!, how = f.GetProperty("how").GetString()!;
            if (Format(how) is not { } format)
            {
                Assert.Contains("taken out of the patterns", how, StringComparison.Ordinal);
                continue;
            }
            feeds++;
            byte[] body = SharedData.Read(file);
            foreach (ContentKind content in Enum.GetValues<ContentKind>())
            {
                string which = $"{file} {how} {content}";
                ParseResult result = await Parse.BytesAsync(body, content, format);
                long values = Number(f, "values");
                Assert.True((values == 0) == (result.Unusable is not null), $"{which}: {result.Unusable}");
                Assert.True(values == result.AcceptedEntries + result.Skipped + result.RefusedCount + Cleaned(result, "empty value"), which);
                long addresses = Number(f, "valid_ip") + Number(f, "valid_cidr"), names = Number(f, "valid_domain");
                AssertCounts(which, result, content == ContentKind.IPSet ? addresses : names, content == ContentKind.IPSet ? null : Number(f, "distinct_domains"));
                Assert.True(result.Skipped >= (content == ContentKind.IPSet ? names : addresses), which);
            }
        }
        Assert.True(feeds >= 60, feeds.ToString(CultureInfo.InvariantCulture));
    }

    // Accepted is what the figures call valid, without what is too wide, and with the forms we read past them.
    private static void AssertCounts(string which, ParseResult result, long valid, long? distinct)
    {
        long rescued = Rescuing.Sum(reason => Cleaned(result, reason));
        long wide = result.Refused.GetValueOrDefault("too wide");
        rescued += NamesOfUts46Only.GetValueOrDefault(which);
        Assert.True(valid - wide + rescued == result.AcceptedEntries, $"{which}: {result.AcceptedEntries} accepted, {valid} valid, {rescued} rescued, {wide} wide");
        Assert.Equal(result.AcceptedEntries, result.Set.Count + Cleaned(result, "repeat"));
        if (distinct is { } d)
        {
            Assert.True(result.Set.Count >= d - wide && result.Set.Count <= d - wide + rescued, $"{which}: {result.Set.Count} different, {d} expected");
        }
    }

    private static FeedFormat? Format(string how)
    {
        if (how.StartsWith("json ", StringComparison.Ordinal))
        {
            return new FeedFormat.Json(how.StartsWith("json $ (", StringComparison.Ordinal) ? "$" : how[5..]);
        }
        if (!how.StartsWith("csv ", StringComparison.Ordinal))
        {
            return null;
        }
        string Group(string pattern) => Regex.Match(how, pattern).Groups[1].Value;
        string number = Group(@"fieldNum (\d+)"), delimiter = Group(@"columnDelimiter (TAB|\S)"), name = Group(@"fieldName (\S+)");
        return Parse.Csv(
            number.Length > 0 ? int.Parse(number, CultureInfo.InvariantCulture) : null, name.Length > 0 ? name : null, !how.Contains("no header", StringComparison.Ordinal),
            delimiter == "TAB" ? '\t' : delimiter.Length > 0 ? delimiter[0] : ',', Group(@"commentDelimiter (\S)") == "#" ? '#' : null);
    }

    private static string Refused(ParseResult result) => string.Join(", ", result.Refused) + "; " + string.Join(", ", result.Cleaned);

    private static long Cleaned(ParseResult result, string reason) => result.Cleaned.GetValueOrDefault(reason);

    private static long Number(JsonElement feed, string name) => feed.GetProperty(name).GetInt64();

    private static JsonElement.ArrayEnumerator Truth(string file) =>
        JsonDocument.Parse(SharedData.Read("truth/" + file)).RootElement.GetProperty("feeds").EnumerateArray();
}
