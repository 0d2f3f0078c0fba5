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
    internal async Task<RunEnd> ReplacedAsync(RunRow run, Feed feed, ParseResult parsed, SetChange change, CancellationToken cancellationToken)
    {
        var end = new RunEnd(RunOutcome.Replaced, Notes(parsed), parsed, change);
        if (await EndAsync(run, feed, end, Synced, cancellationToken))
        {
            PullingLog.Replaced(log, feed.Name, parsed.Set.Count, change.Added, change.Removed);
        }
        return end;
    }

    internal async Task<RunEnd> UnchangedAsync(RunRow run, Feed feed, string message, ParseResult? parsed, CancellationToken cancellationToken)
    {
        var end = new RunEnd(RunOutcome.Unchanged, message, parsed);
        if (await EndAsync(run, feed, end, Synced, cancellationToken))
        {
            PullingLog.Unchanged(log, feed.Name);
        }
        return end;
    }

    internal async Task<RunEnd> KeptAsync(RunRow run, Feed feed, string reason, ParseResult? parsed, CancellationToken cancellationToken)
    {
        reason = VisibleText.Of(reason, VisibleText.Message);
        // The fetch itself went well.
        FeedStatus Kept(FeedStatus was) => was.With(ConditionType.SetKept, reason).Without(ConditionType.PullFailed, ConditionType.HeaderSourceMissing);
        var end = new RunEnd(RunOutcome.Kept, reason, parsed);
        if (await EndAsync(run, feed, end, Kept, cancellationToken))
        {
            PullingLog.Kept(log, feed.Name, reason);
        }
        return end;
    }

    internal async Task<RunEnd> FetchFailedAsync(RunRow run, Feed feed, FetchException error, CancellationToken cancellationToken)
    {
        if (error.BodyUnusable)
        {
            return await KeptAsync(run, feed, $"{error.Message} The last good set is kept.", null, cancellationToken);
        }
        FeedStatus Failed(FeedStatus was) => error.HeaderSourceMissing
            ? was.With(ConditionType.HeaderSourceMissing, error.Message)
            : was.With(ConditionType.PullFailed, error.Message).Without(ConditionType.HeaderSourceMissing);
        var end = new RunEnd(RunOutcome.Failed, error.Message);
        if (await EndAsync(run, feed, end, Failed, cancellationToken))
        {
            PullingLog.Failed(log, feed.Name, error.Message);
        }
        return end;
    }

    /// <summary>Something of ours failed, such as the database or the disk.</summary>
    internal async Task<RunEnd> BrokeAsync(RunRow run, Feed feed, Exception error, CancellationToken cancellationToken)
    {
        PullingLog.Broke(log, feed.Name, error);
        string message = "The pull ended with an error of our own; the server's log has it. It is tried again at its time.";
        var end = new RunEnd(RunOutcome.Failed, message);
        try
        {
            await EndAsync(run, feed, end, was => was.With(ConditionType.PullFailed, message), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The run stays open and is done again when its lease is over.
            PullingLog.Broke(log, feed.Name, e);
        }
        return end;
    }

    /// <summary>The run is done again: nothing is written down of it, and the feed is told nothing.</summary>
    internal void LeftOpen(Feed feed, Exception error) => PullingLog.Broke(log, feed.Name, error);

    /// <summary>There was nothing to do any more: no condition, since the feed asked for none of it.</summary>
    internal async Task<RunEnd> MootAsync(RunRow run, string message, CancellationToken cancellationToken)
    {
        var end = new RunEnd(RunOutcome.Failed, message);
        await runs.FinishAsync(run, end, cancellationToken);
        return end;
    }

    private FeedStatus Synced(FeedStatus was) => was.Synced(time.GetUtcNow());

    /// <summary>False when somebody else has the run: what became of it here is not told.</summary>
    private Task<bool> EndAsync(RunRow run, Feed feed, RunEnd end, Func<FeedStatus, FeedStatus> tell, CancellationToken cancellationToken) =>
        runs.FinishAsync(run, end, cancellationToken, (db, ct) => status.ChangeAsync(db, feed.Name, feed.Uid, tell, ct));

    private static string? Notes(ParseResult parsed) => parsed.Problems.Count == 0 ? null : string.Join(" ", parsed.Problems);
}
