using System.Text.Json.Serialization;
using ThreatFeeds.Listings;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Runs;

/// <summary>A run as REST shows it.</summary>
/// <param name="StartedAt">Null while it is queued.</param>
/// <param name="Outcome">Null while it is queued or active.</param>
/// <param name="Refusals">What was refused, at most 100; null in lists, which do not read them.</param>
public sealed record FeedRun(
    string Id, string Feed, RunTrigger Trigger, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, RunOutcome? Outcome,
    long Accepted, long Added, long Removed, long Skipped, long Refused, string? Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Refusal>? Refusals = null);

/// <summary>The end of a run.</summary>
/// <param name="Parsed">What the body came to; null when none was read.</param>
/// <param name="Change">What replacing did; null when nothing was replaced.</param>
public sealed record RunEnd(RunOutcome Outcome, string? Message, ParseResult? Parsed = null, SetChange? Change = null);
