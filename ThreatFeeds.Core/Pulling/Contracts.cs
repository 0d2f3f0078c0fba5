using System.Text.Json.Serialization;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Pulling;

/// <summary>The answer of <c>POST /v1/feeds/preview</c>. Nothing is stored.</summary>
/// <param name="Status">HTTP status of the body; null when there was none.</param>
/// <param name="Format">newlineDelimited, json or csv.</param>
public sealed record FeedPreview(
    int? Status, long Bytes, string Format, long Accepted, IReadOnlyDictionary<string, long> Cleaned, long Skipped,
    IReadOnlyDictionary<string, long> Refused, IReadOnlyList<string> Samples, IReadOnlyList<Refusal> Refusals,
    IReadOnlyList<string> Problems, IReadOnlyList<FeedColumn> Columns)
{
    /// <summary>Nothing was fetched because too much else is; the problems say what. Worth another try in a moment.</summary>
    [JsonIgnore]
    public bool Busy { get; init; }
}
