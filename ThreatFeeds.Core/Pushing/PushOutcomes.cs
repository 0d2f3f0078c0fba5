using Microsoft.Extensions.Logging;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Runs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>Who pushes, and since when.</summary>
internal sealed record Push(Actor Actor, DateTimeOffset StartedAt);

/// <summary>Writes down how a push ended: a run, the feed's conditions, the log.</summary>
public sealed class PushOutcomes(RunQueue runs, FeedStatusWriter status, TimeProvider time, ILogger<PushOutcomes> log)
{
    internal Push Begin(Actor actor) => new(actor, time.GetUtcNow());

    internal async Task StoredAsync(Feed feed, ParseResult parsed, SetChange change, Push push, CancellationToken cancellationToken)
    {
        await SucceededAsync(feed, cancellationToken);
        await runs.RecordAsync(feed, RunTrigger.Push, push.Actor, push.StartedAt, new RunEnd(change.Outcome, Notes(feed, parsed), parsed, change), cancellationToken);
        PushingLog.Stored(log, feed.Name, parsed.Set.Count, change.Added, change.Removed);
    }

    internal async Task EmptiedAsync(Feed feed, SetChange? change, Push push, CancellationToken cancellationToken)
    {
        await SucceededAsync(feed, cancellationToken);
        await runs.RecordAsync(feed, RunTrigger.Push, push.Actor, push.StartedAt,
            new RunEnd(change?.Outcome ?? RunOutcome.Unchanged, "The document was deleted: the set is empty.", null, change), cancellationToken);
        PushingLog.Emptied(log, feed.Name);
    }

    internal async Task RefusedAsync(Feed feed, string reason, ParseResult? parsed, Push push, CancellationToken cancellationToken)
    {
        reason = VisibleText.Of(reason, VisibleText.Message);
        await status.SetConditionAsync(feed.Name, feed.Uid, ConditionType.PushRefused, reason, cancellationToken);
        await runs.RecordAsync(feed, RunTrigger.Push, push.Actor, push.StartedAt, new RunEnd(RunOutcome.Failed, reason, parsed), cancellationToken);
        PushingLog.Refused(log, feed.Name, reason);
    }

    /// <summary>A document that waited is taken later: only the failure now is told.</summary>
    internal Task NotAppliedAsync(Feed feed, CancellationToken cancellationToken) =>
        status.SetConditionAsync(feed.Name, feed.Uid, ConditionType.PushRefused, "A document that waits for this feed could not be applied; the server's log has why. It is tried again within seconds.", cancellationToken);

    private Task SucceededAsync(Feed feed, CancellationToken cancellationToken) =>
        status.SyncedAsync(feed.Name, feed.Uid, time.GetUtcNow(), cancellationToken);

    private static string? Notes(Feed feed, ParseResult parsed)
    {
        List<string> notes = [.. parsed.Problems];
        if (!feed.Spec.Enabled)
        {
            notes.Add("The feed is disabled: the set is stored, not searched for.");
        }
        return notes.Count == 0 ? null : string.Join(" ", notes);
    }
}
