using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <param name="Behind">Records not yet compared.</param>
public sealed record SourceState(string Name, LogKind Kind, long Behind, DateTimeOffset? LastReceivedAt);

/// <param name="Done">Records compared, of <paramref name="Total"/>.</param>
public sealed record LookBackState(string Feed, long Done, long Total);

/// <summary>The answer of <c>GET /v1/searches</c>.</summary>
/// <param name="Dropped">Records deleted before every search had passed them, or damaged.</param>
/// <param name="RetentionWaitsUntil">About when retention believes a clock that has leapt ahead; null when it believes the clock.</param>
public sealed record SearchState(bool Idle, long Dropped, IReadOnlyList<SourceState> Sources, IReadOnlyList<LookBackState> LookBacks, DateTimeOffset? RetentionWaitsUntil = null);
