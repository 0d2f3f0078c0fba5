using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>Writes down how a pull ended: the run and the feed's conditions in one transaction, and only while the run is still ours; the log.</summary>
public sealed class PullOutcomes(RunQueue runs, FeedStatusWriter status, TimeProvider time, ILogger<PullOutcomes> log)
{
    internal async Task ReplacedAsync(RunRow run, Feed feed, ParseResult parsed, SetChange change, CancellationToken cancellationToken)
    {
        if (await EndAsync(run, feed, new RunEnd(RunOutcome.Replaced, Notes(parsed), parsed, change), Synced, cancellationToken))
        {
            PullingLog.Replaced(log, feed.Name, parsed.Set.Count, change.Added, change.Removed);
        }
    }

    internal async Task UnchangedAsync(RunRow run, Feed feed, string message, ParseResult? parsed, CancellationToken cancellationToken)
    {
        if (await EndAsync(run, feed, new RunEnd(RunOutcome.Unchanged, message, parsed), Synced, cancellationToken))
        {
            PullingLog.Unchanged(log, feed.Name);
        }
    }

    internal async Task KeptAsync(RunRow run, Feed feed, string reason, ParseResult? parsed, CancellationToken cancellationToken)
    {
        reason = VisibleText.Of(reason, VisibleText.Message);
        // The fetch itself went well.
        FeedStatus Kept(FeedStatus was) => was.With(ConditionType.SetKept, reason).Without(ConditionType.PullFailed, ConditionType.HeaderSourceMissing);
        if (await EndAsync(run, feed, new RunEnd(RunOutcome.Kept, reason, parsed), Kept, cancellationToken))
        {
            PullingLog.Kept(log, feed.Name, reason);
        }
    }

    internal async Task FetchFailedAsync(RunRow run, Feed feed, FetchException error, CancellationToken cancellationToken)
    {
        if (error.BodyUnusable)
        {
            await KeptAsync(run, feed, $"{error.Message} The last good set is kept.", null, cancellationToken);
            return;
        }
        FeedStatus Failed(FeedStatus was) => error.HeaderSourceMissing
            ? was.With(ConditionType.HeaderSourceMissing, error.Message)
            : was.With(ConditionType.PullFailed, error.Message).Without(ConditionType.HeaderSourceMissing);
        if (await EndAsync(run, feed, new RunEnd(RunOutcome.Failed, error.Message), Failed, cancellationToken))
        {
            PullingLog.Failed(log, feed.Name, error.Message);
        }
    }

    /// <summary>Something of ours failed, such as the database or the disk.</summary>
    internal async Task BrokeAsync(RunRow run, Feed feed, Exception error, CancellationToken cancellationToken)
    {
        PullingLog.Broke(log, feed.Name, error);
        string message = "The pull ended with an error of our own; the server's log has it. It is tried again at its time.";
        try
        {
            await EndAsync(run, feed, new RunEnd(RunOutcome.Failed, message), was => was.With(ConditionType.PullFailed, message), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The run stays open and is done again when its lease is over.
            PullingLog.Broke(log, feed.Name, e);
        }
    }

    /// <summary>The run is done again: nothing is written down of it, and the feed is told nothing.</summary>
    internal void LeftOpen(Feed feed, Exception error) => PullingLog.Broke(log, feed.Name, error);

    /// <summary>There was nothing to do any more: no condition, since the feed asked for none of it.</summary>
    internal Task MootAsync(RunRow run, string message, CancellationToken cancellationToken) =>
        runs.FinishAsync(run, new RunEnd(RunOutcome.Failed, message), cancellationToken);

    private FeedStatus Synced(FeedStatus was) => was.Synced(time.GetUtcNow());

    /// <summary>False when somebody else has the run: what became of it here is not told.</summary>
    private Task<bool> EndAsync(RunRow run, Feed feed, RunEnd end, Func<FeedStatus, FeedStatus> tell, CancellationToken cancellationToken) =>
        runs.FinishAsync(run, end, cancellationToken, (db, ct) => status.ChangeAsync(db, feed.Name, feed.Uid, tell, ct));

    private static string? Notes(ParseResult parsed) => parsed.Problems.Count == 0 ? null : string.Join(" ", parsed.Problems);
}
