using Hangfire;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Jobs;

/// <summary>Each minute: forgets the runs of feeds that are gone, and queues one for every feed whose time has come. One whose stored set is damaged is tried as soon and as often as after a failed pull.</summary>
public sealed class DispatchJob(FeedCatalog feeds, ListedSets sets, RunHistory history, RunQueue runs, TimeProvider time)
{
    [Queue(Queues.Upkeep)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await runs.ForgetGoneAsync(cancellationToken);
        // In this order: a feed that is made in between is none of these, since its first run is queued with it; a run that ends in between is seen as the last one.
        List<Feed> all = [.. (await feeds.ListAsync(cancellationToken)).Select(f => f.Feed)];
        IReadOnlySet<Guid> underWay = await history.UnfinishedAsync(cancellationToken);
        IReadOnlyDictionary<Guid, RunRow> last = await history.LastPullsAsync(cancellationToken);
        IReadOnlyList<string> damaged = await sets.DamagedAsync(cancellationToken);
        foreach (Feed feed in all)
        {
            if (feed.Spec is { Enabled: true, Pull: { } pull } && !underWay.Contains(feed.Uid) && IsDue(last.GetValueOrDefault(feed.Uid), damaged.Contains(feed.Name) && pull.Period > PullTimes.Retry ? PullTimes.Retry : pull.Period))
            {
                await runs.EnqueueAsync(feed, RunTrigger.Schedule, Actor.System, cancellationToken);
            }
        }
    }

    private bool IsDue(RunRow? last, TimeSpan period) => last is null || PullTimes.Next(last, period) <= time.GetUtcNow();
}
