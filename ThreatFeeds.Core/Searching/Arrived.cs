using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Searching;

/// <summary>How far a source had come at a look.</summary>
/// <param name="Head">Behind its newest record.</param>
/// <param name="Mark">How far the forward search had come.</param>
/// <param name="Generation">Of what it was searched with.</param>
internal readonly record struct SourcePlace(Position Head, Position Mark, long Generation);

/// <summary>What had arrived at a time: the records of each source, and what was listed.</summary>
internal sealed record Arrived(DateTimeOffset At, List<Feed> Feeds, IReadOnlyDictionary<string, SourcePlace> Places, long Generation)
{
    /// <summary>Whether the forward searches have passed all of it at a look then or later. Look-backs are their feeds' own.</summary>
    public bool IsCompared(SearchState state) => Places.All(p =>
        !state.Places.TryGetValue(p.Key, out SourcePlace now) || (now.Mark >= p.Value.Head && now.Generation >= Generation));
}
