using Microsoft.Extensions.Logging;
using Quartz;
using ThreatFeeds.Feeds;
using ThreatFeeds.Pulling;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Scheduling;

/// <summary>Quartz' shell around a pull: queues a run when the schedule fired, carries out what is queued, plans the next.</summary>
[DisallowConcurrentExecution]
internal sealed class PullJob(FeedCatalog feeds, RunHistory runs, PullFeed pull, PullPlan plan, ILogger<PullJob> log) : IJob
{
    /// <summary>Set when a run was queued before the job was triggered.</summary>
    internal const string Queued = "queued";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        string name = context.JobDetail.Key.Name;
        try
        {
            Feed? feed = (await feeds.FindAsync(name, cancellationToken))?.Feed;
            if (feed is { Spec: { Enabled: true, Pull: not null } } && !context.MergedJobDataMap.ContainsKey(Queued))
            {
                await runs.EnqueueAsync(feed, RunTriggers.Schedule, cancellationToken);
            }
            while (await runs.StartNextAsync(name, cancellationToken) is { } run)
            {
                await pull.RunAsync(run.Id, cancellationToken);
            }
            feed = (await feeds.FindAsync(name, cancellationToken))?.Feed;
            if (feed is { Spec: { Enabled: true, Pull: not null } })
            {
                await plan.PlanNextAsync(feed, cancellationToken);
            }
        }
        catch (SchedulerException) when (context.Scheduler.Status == SchedulerStatus.Shutdown)
        {
            // The process ends; what was not planned is planned again when it starts.
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SchedulingLog.JobFailed(log, name, e);
            await plan.PlanRetryAsync(name, cancellationToken);
        }
    }
}
