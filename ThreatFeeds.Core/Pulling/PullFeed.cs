using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Runs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>Carries out one accepted pull: fetch, read, guard, replace, and write down how it ended.</summary>
public sealed class PullFeed(FeedCatalog feeds, FetchTurns turns, FeedBodies bodies, ListedSets sets, PullOutcomes outcomes)
{
    /// <summary>Carries out a started run. Throws only when <paramref name="cancellationToken"/> ends it; the run then stays open and is done again when its lease is over.</summary>
    /// <param name="run">As it was taken: who has it only from the database could have another's taking.</param>
    /// <param name="isDoneAgain">Whether the caller gives an open run back to the queue: one that the database was away for is then left open, instead of failing until its next time.</param>
    public Task RunAsync(RunRow run, CancellationToken cancellationToken, bool isDoneAgain = false) => Work.Pull.RunAsync(async span =>
    {
        span.Tell("feed", run.Feed);
        span.Tell("run", run.Id);
        span.Tell("trigger", Word.Of(run.Trigger));
        RunEnd? end = await RunAsync(run, span, isDoneAgain, cancellationToken);
        span.Ended(end is null ? "open" : Word.Of(end.Outcome));
        span.Tell("accepted", end?.Parsed?.Accepted ?? 0);
        span.Tell("added", end?.Change?.Added ?? 0);
        span.Tell("removed", end?.Change?.Removed ?? 0);
        return end;
    });

    /// <summary>Null when the run stays open.</summary>
    private async Task<RunEnd?> RunAsync(RunRow run, WorkSpan span, bool isDoneAgain, CancellationToken cancellationToken)
    {
        Feed? feed = (await feeds.FindAsync(run.Feed, cancellationToken))?.Feed;
        if (feed is null || feed.Uid != run.FeedUid || feed.Spec.Pull is not { } pull)
        {
            return await outcomes.MootAsync(run, "The feed was deleted, or is no longer pulled.", cancellationToken);
        }
        if (!feed.Spec.Enabled)
        {
            return await outcomes.MootAsync(run, "The feed is disabled.", cancellationToken);
        }
        span.Tell(pull.Url);
        try
        {
            return await PullAsync(run, feed, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (FetchException e)
        {
            span.Failed(e);
            return await outcomes.FetchFailedAsync(run, feed, e, cancellationToken);
        }
        catch (Exception e) when (isDoneAgain && DatabaseFaults.IsAway(e))
        {
            span.Failed(e);
            outcomes.LeftOpen(feed, e);
            return null;
        }
        catch (Exception e)
        {
            span.Failed(e);
            return await outcomes.BrokeAsync(run, feed, e, cancellationToken);
        }
    }

    private async Task<RunEnd> PullAsync(RunRow run, Feed feed, CancellationToken cancellationToken)
    {
        using FetchTurn turn = await turns.ForPullAsync(cancellationToken);
        try
        {
            return await PullAsync(run, feed, turn, cancellationToken);
        }
        catch (OperationCanceledException e) when (turn.IsOver)
        {
            throw new FetchException($"Fetching and reading the body took longer than {turn.Limit.TotalSeconds:0} s, the limit of a pull.", e) { BodyUnusable = true };
        }
    }

    private async Task<RunEnd> PullAsync(RunRow run, Feed feed, FetchTurn turn, CancellationToken cancellationToken)
    {
        string origin = FeedOrigin.Of(feed);
        StoredSetRow? current = await sets.CurrentAsync(feed.Uid, cancellationToken);
        await using FetchedBody body = await bodies.FetchAsync(feed, current, turn.Token);
        if (body.NotModified)
        {
            return await outcomes.UnchangedAsync(run, feed, "The server says the list has not changed (304).", null, cancellationToken);
        }
        if (current is not null && current.Origin == origin && current.Digest == body.Digest)
        {
            return await outcomes.UnchangedAsync(run, feed, "The body is the same as the one held.", null, cancellationToken);
        }
        ParseResult parsed = await bodies.ParseAsync(body, feed, turn.Token);
        if (SetGuard.Judge(feed, parsed, current, body.Digest, origin) is { } reason)
        {
            return await outcomes.KeptAsync(run, feed, reason, parsed, cancellationToken);
        }
        // The body was read as the feed said when the run began; after an edit that is no longer what the operator asked for.
        Feed? now = (await feeds.FindAsync(feed.Name, cancellationToken))?.Feed;
        bool same = now is { Spec.Pull: not null } && now.Uid == feed.Uid && FeedOrigin.Of(now) == origin;
        var source = new SetSource(body.Digest, origin, body.ETag, body.LastModified);
        SetChange? change = same ? await sets.ReplaceAsync(now!, parsed.Set, source, cancellationToken) : null;
        return change switch
        {
            null => await outcomes.MootAsync(run, "The feed was changed while it was pulled; the change is pulled by a run of its own.", cancellationToken),
            { Outcome: RunOutcome.Unchanged } => await outcomes.UnchangedAsync(run, feed, "The body differs, the indicators do not.", parsed, cancellationToken),
            _ => await outcomes.ReplacedAsync(run, feed, parsed, change, cancellationToken),
        };
    }
}
