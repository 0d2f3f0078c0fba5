using ThreatFeeds.Indicators;
using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <param name="UrlsAsHosts">Take the host of URLs instead of refusing them.</param>
public sealed record ParseSettings(ContentKind Content, FeedFormat Format, bool UrlsAsHosts)
{
    /// <summary>Bytes that the different indicators of the body may take, as <see cref="IndicatorSetBuilder"/> counts them; a body with more is unusable.</summary>
    public long MaxIndicatorBytes { get; init; } = IndicatorSetBuilder.DefaultMaxBytes;
}

/// <summary>An entry that is not an indicator.</summary>
/// <param name="Line">One-based; for JSON the one-based place in the list.</param>
/// <param name="Text">The entry, cut to 200 characters and made visible.</param>
public sealed record Refusal(long Line, string Text, string Reason);

/// <summary>A column of a CSV body, for the preview.</summary>
/// <param name="Number">Zero-based, as fieldNum counts.</param>
public sealed record FeedColumn(int Number, string? Name, string? Sample);

/// <summary>What a body came to. A value, never an exception: bad entries are normal data.</summary>
public sealed record ParseResult
{
    /// <summary>All indicators, without repeats; empty when the body is unusable.</summary>
    public required IndicatorSet Set { get; init; }

    /// <summary>Different indicators, which is the size of <see cref="Set"/>: what a preview, a run and an answer show. Repeats are counted under <see cref="Cleaned"/>.</summary>
    public long Accepted => Set.Count;

    /// <summary>Entries that became indicators, repeats included and a range being one: what refused entries are weighed against.</summary>
    public long AcceptedEntries { get; init; }

    /// <summary>Accepted after cleaning, by reason (a repeat is one).</summary>
    public IReadOnlyDictionary<string, long> Cleaned { get; init; } = new Dictionary<string, long>();

    /// <summary>Valid entries of the other kind.</summary>
    public long Skipped { get; init; }

    /// <summary>Refused by reason.</summary>
    public IReadOnlyDictionary<string, long> Refused { get; init; } = new Dictionary<string, long>();

    public long RefusedCount { get; init; }

    /// <summary>At most 100 however many there are.</summary>
    public IReadOnlyList<Refusal> Refusals { get; init; } = [];

    /// <summary>The first twenty different indicators in the body's order, as text.</summary>
    public IReadOnlyList<string> Samples { get; init; } = [];

    /// <summary>CSV only.</summary>
    public IReadOnlyList<FeedColumn> Columns { get; init; } = [];

    /// <summary>What an operator should know: another format (with the stanza that would read it), the other content, wide prefixes.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Why nothing of the body may be used (empty, only comments, HTML, not JSON, a path that gives no list of strings); null when it may.</summary>
    public string? Unusable { get; init; }
}
