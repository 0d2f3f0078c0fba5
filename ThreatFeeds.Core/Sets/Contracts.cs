using ThreatFeeds.Feeds;
using ThreatFeeds.Indicators;

namespace ThreatFeeds.Sets;

/// <summary>Where a set came from.</summary>
/// <param name="Digest">SHA-256 (hex) of the body after decompression.</param>
/// <param name="Origin">URL, format and fields; empty for a push.</param>
public sealed record SetSource(string Digest, string Origin, string? ETag, string? LastModified);

/// <summary>What replacing did.</summary>
/// <param name="Outcome">replaced or unchanged.</param>
public sealed record SetChange(string Outcome, long Added, long Removed);

/// <summary>One feed as lists show it.</summary>
/// <param name="Health">In words; null when all is well.</param>
/// <param name="HitsByHour">Hits in each of the last 24 hours, oldest first.</param>
public sealed record FeedOverview(
    Feed Feed, long Indicators, DateTimeOffset? SetChangedAt, FeedRun? LastRun, string? Health, string? HealthType,
    DateTimeOffset? LastSuccessfulSync, DateTimeOffset? LastSuccessfulSearch, long Hits, DateTimeOffset? LastHitAt,
    IReadOnlyList<long> HitsByHour, DateTimeOffset CreatedAt, long ResourceVersion);

/// <summary>A run as REST shows it (design §6).</summary>
public sealed record FeedRun(
    string Id, string Feed, string Trigger, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? Outcome,
    long Accepted, long Added, long Removed, long Skipped, long Refused, string? Message);

/// <summary>A page of a list.</summary>
/// <param name="Next">Cursor of the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
