using System.Text;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Tests.Parsing;

/// <summary>Short ways to parse a body in a test.</summary>
internal static class Parse
{
    public static readonly FeedFormat Lines = new FeedFormat.NewlineDelimited();

    public static Task<ParseResult> NamesAsync(string body, FeedFormat? format = null, bool urls = false) =>
        BytesAsync(Encoding.UTF8.GetBytes(body), ContentKind.DomainNameSet, format, urls);

    public static Task<ParseResult> AddressesAsync(string body, FeedFormat? format = null, bool urls = false) =>
        BytesAsync(Encoding.UTF8.GetBytes(body), ContentKind.IPSet, format, urls);

    public static Task<ParseResult> BytesAsync(byte[] body, ContentKind content, FeedFormat? format = null, bool urls = false) =>
        FeedParser.ParseAsync(new MemoryStream(body), new ParseSettings(content, format ?? Lines, urls), CancellationToken.None);

    public static FeedFormat.Csv Csv(int? number = null, string? name = null, bool header = false, char delimiter = ',', char? comment = null) =>
        new(number, name, header, delimiter, comment, null, false);

    public static string[] Texts(ParseResult result) => [.. Enumerable.Range(0, result.Set.Count).Select(result.Set.Text)];
}
