using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <param name="Behind">Records not yet compared.</param>
public sealed record SourceState(string Name, LogKind Kind, long Behind, DateTimeOffset? LastReceivedAt);

/// <param name="Done">Records compared, of <paramref name="Total"/>.</param>
public sealed record LookBackState(string Feed, long Done, long Total);

/// <summary>A source that is there no longer; what of it was not compared is not, unless it comes back.</summary>
public sealed record GoneSource(string Source, LogKind Kind, DateTimeOffset GoneAt);

/// <summary>A record that hit and cannot become an alert, or that could not be searched whole.</summary>
/// <param name="Position">Where it stands in its source.</param>
public sealed record SetAsideRecord(string Source, string Position, string Reason, DateTimeOffset At);

/// <summary>The answer of <c>GET /v1/searches</c>.</summary>
/// <param name="Dropped">Records deleted before every search had passed them, or damaged.</param>
/// <param name="SetAside">Records that hit but cannot become alerts, or that could not be searched whole, and were passed.</param>
/// <param name="Stalled">A search has work and has not moved for five minutes.</param>
/// <param name="Gone">The newest first, at most 100.</param>
/// <param name="Damaged">Enabled feeds whose stored set is damaged: what they list is searched for again, in all records kept, when the next body has replaced it. Until then it is not idle.</param>
/// <param name="RetentionWaitsUntil">About when retention believes a clock that has leapt ahead; null when it believes the clock.</param>
public sealed record SearchState(
    bool Idle, long Dropped, IReadOnlyList<SourceState> Sources, IReadOnlyList<LookBackState> LookBacks, long SetAside, bool Stalled, IReadOnlyList<GoneSource> Gone,
    IReadOnlyList<string> Damaged, DateTimeOffset? RetentionWaitsUntil = null)
{
    /// <summary>Of the records set aside the newest that are remembered, at most 20, with their reasons.</summary>
    public IReadOnlyList<SetAsideRecord> SetAsideNewest { get; init; } = [];

    /// <summary>The sources there are, by id.</summary>
    internal IReadOnlyDictionary<string, SourcePlace> Places { get; init; } = new Dictionary<string, SourcePlace>();

    /// <summary>Of what is listed.</summary>
    internal long Generation { get; init; }

    /// <summary>Before anything is known.</summary>
    public static SearchState Unknown { get; } = new(true, 0, [], [], 0, false, [], []);
}
