using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>Writes down how a pull ended: the run, the feed's conditions, the log.</summary>
public sealed class PullOutcomes(RunQueue runs, FeedStatusWriter status, TimeProvider time, ILogger<PullOutcomes> log)
{
    internal async Task ReplacedAsync(RunRow run, Feed feed, ParseResult parsed, SetChange change, CancellationToken cancellationToken)
    {
        await SucceededAsync(feed, cancellationToken);
        await runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Replaced, Notes(parsed), parsed, change), cancellationToken);
        PullingLog.Replaced(log, feed.Name, parsed.Set.Count, change.Added, change.Removed);
    }

    internal async Task UnchangedAsync(RunRow run, Feed feed, string message, ParseResult? parsed, CancellationToken cancellationToken)
    {
        await SucceededAsync(feed, cancellationToken);
        await runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Unchanged, message, parsed), cancellationToken);
        PullingLog.Unchanged(log, feed.Name);
    }

    internal async Task KeptAsync(RunRow run, Feed feed, string reason, ParseResult? parsed, CancellationToken cancellationToken)
    {
        reason = VisibleText.Of(reason, VisibleText.Message);
        await status.SetConditionAsync(feed.Name, feed.Uid, ConditionType.SetKept, reason, cancellationToken);
        // The fetch itself went well.
        await status.ClearAsync(feed.Name, feed.Uid, cancellationToken, ConditionType.PullFailed, ConditionType.HeaderSourceMissing);
        await runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Kept, reason, parsed), cancellationToken);
        PullingLog.Kept(log, feed.Name, reason);
    }

    internal async Task FetchFailedAsync(RunRow run, Feed feed, FetchException error, CancellationToken cancellationToken)
    {
        if (error.BodyUnusable)
        {
            await KeptAsync(run, feed, $"{error.Message} The last good set is kept.", null, cancellationToken);
            return;
        }
        ConditionType type = error.HeaderSourceMissing ? ConditionType.HeaderSourceMissing : ConditionType.PullFailed;
        await status.SetConditionAsync(feed.Name, feed.Uid, type, error.Message, cancellationToken);
        if (!error.HeaderSourceMissing)
        {
            await status.ClearAsync(feed.Name, feed.Uid, cancellationToken, ConditionType.HeaderSourceMissing);
        }
        await runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Failed, error.Message), cancellationToken);
        PullingLog.Failed(log, feed.Name, error.Message);
    }

    /// <summary>Something of ours failed, such as the database or the disk.</summary>
    internal async Task BrokeAsync(RunRow run, Feed feed, Exception error, CancellationToken cancellationToken)
    {
        PullingLog.Broke(log, feed.Name, error);
        string message = "The pull ended with an error of our own; the server's log has it. It is tried again at its time.";
        try
        {
            await runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Failed, message), cancellationToken);
            await status.SetConditionAsync(feed.Name, feed.Uid, ConditionType.PullFailed, message, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The run stays open and is done again after a restart.
            PullingLog.Broke(log, feed.Name, e);
        }
    }

    /// <summary>There was nothing to do any more: no condition, since the feed asked for none of it.</summary>
    internal Task MootAsync(RunRow run, string message, CancellationToken cancellationToken) =>
        runs.FinishAsync(run.Id, new RunEnd(RunOutcome.Failed, message), cancellationToken);

    private Task SucceededAsync(Feed feed, CancellationToken cancellationToken) => status.SyncedAsync(
        feed.Name, feed.Uid, time.GetUtcNow(), cancellationToken, ConditionType.PullFailed, ConditionType.SetKept, ConditionType.HeaderSourceMissing);

    private static string? Notes(ParseResult parsed) => parsed.Problems.Count == 0 ? null : string.Join(" ", parsed.Problems);
}
