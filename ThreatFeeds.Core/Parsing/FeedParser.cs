using ThreatFeeds.Manifests;

namespace ThreatFeeds.Parsing;

/// <summary>Bytes of a feed to indicators, refusals and what an operator should know.</summary>
public static class FeedParser
{
    /// <summary>
    /// Reads a body (already decompressed) as the settings say. Bad entries, even an unusable body, are part of the result; only reading the
    /// stream may throw.
    /// </summary>
    public static Task<ParseResult> ParseAsync(Stream body, ParseSettings settings, CancellationToken ct) => settings.Format switch
    {
        FeedFormat.Json json => JsonFormat.ParseAsync(body, settings, json, ct),
        FeedFormat.Csv csv => CsvFormat.ParseAsync(body, settings, csv, ct),
        _ => NewlineFormat.ParseAsync(body, settings, ct),
    };
}
