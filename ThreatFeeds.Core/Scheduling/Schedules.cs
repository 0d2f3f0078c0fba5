using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Scheduling;

/// <summary>Makes the schedules follow the feeds: pulls at once what was created, changed or enabled, plans the rest, forgets what is gone.</summary>
public sealed class Schedules(FeedCatalog feeds, FeedChanges changes, RunHistory runs, PullPlan plan, ILogger<Schedules> log) : BackgroundService
{
    private readonly Channel<string> _changed = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // Before anything is read, so that no change falls between.
        changes.FeedChanged += OnChanged;
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        changes.FeedChanged -= OnChanged;
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IReadOnlyList<string> queued = await runs.RecoverAsync(stoppingToken);
        foreach (StoredFeed feed in await feeds.ListAsync(stoppingToken))
        {
            await FollowAsync(feed.Feed.Name, stoppingToken);
        }
        foreach (string feed in queued)
        {
            await TryAsync(feed, () => plan.RunQueuedAsync(feed, stoppingToken));
        }
        await plan.PlanRetentionAsync(stoppingToken);
        SchedulingLog.Started(log, queued.Count);
        await foreach (string feed in _changed.Reader.ReadAllAsync(stoppingToken))
        {
            await FollowAsync(feed, stoppingToken);
        }
    }

    private void OnChanged(string feed) => _changed.Writer.TryWrite(feed);

    private Task FollowAsync(string name, CancellationToken cancellationToken) =>
        TryAsync(name, async () => await plan.FollowAsync(name, (await feeds.FindAsync(name, cancellationToken))?.Feed, cancellationToken));

    private async Task TryAsync(string feed, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SchedulingLog.FollowFailed(log, feed, e);
        }
    }
}
