using Hangfire;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Jobs;

/// <summary>Each minute: queues a run for every feed whose time has come.</summary>
public sealed class DispatchJob(FeedCatalog feeds, RunHistory history, RunQueue runs, TimeProvider time)
{
    [Queue(Queues.Upkeep)]
    [AutomaticRetry(Attempts = 0)]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // In this order: a run that ends in between is seen as the last one.
        IReadOnlySet<Guid> underWay = await history.UnfinishedAsync(cancellationToken);
        IReadOnlyDictionary<Guid, RunRow> last = await history.LastPullsAsync(cancellationToken);
        foreach (Feed feed in (await feeds.ListAsync(cancellationToken)).Select(f => f.Feed))
        {
            if (feed.Spec is { Enabled: true, Pull: { } pull } && !underWay.Contains(feed.Uid) && IsDue(last.GetValueOrDefault(feed.Uid), pull.Period))
            {
                await runs.EnqueueAsync(feed, RunTrigger.Schedule, Actor.System, cancellationToken);
            }
        }
    }

    private bool IsDue(RunRow? last, TimeSpan period) => last is null || PullTimes.Next(last, period) <= time.GetUtcNow();
}
