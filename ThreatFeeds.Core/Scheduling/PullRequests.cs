using ThreatFeeds.Feeds;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Scheduling;

/// <summary>Pulls that somebody asks for.</summary>
public sealed class PullRequests(RunHistory runs, PullPlan plan)
{
    /// <summary>Accepts a pull; the run is durable when this returns and is carried out even after a restart. The feed must be enabled and have a pull.</summary>
    public async Task<FeedRun> RequestAsync(Feed feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        if (feed is not { Spec: { Enabled: true, Pull: not null } })
        {
            throw new InvalidOperationException($"The feed {feed.Name} is disabled or has no pull.");
        }
        RunRow run = await runs.EnqueueAsync(feed, RunTriggers.Manual, cancellationToken);
        await plan.RunQueuedAsync(feed.Name, cancellationToken);
        return RunHistory.View(run);
    }
}
