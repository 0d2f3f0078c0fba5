using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <param name="Behind">Records not yet compared.</param>
public sealed record SourceState(string Name, LogKind Kind, long Behind, DateTimeOffset? LastReceivedAt);

/// <param name="Done">Records compared, of <paramref name="Total"/>.</param>
public sealed record LookBackState(string Feed, long Done, long Total);

/// <summary>The answer of <c>GET /v1/searches</c>.</summary>
/// <param name="Dropped">Records deleted before they were compared.</param>
public sealed record SearchState(bool Idle, long Dropped, IReadOnlyList<SourceState> Sources, IReadOnlyList<LookBackState> LookBacks);
