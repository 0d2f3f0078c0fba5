using Microsoft.Extensions.Logging;
using Quartz;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Scheduling;

/// <summary>Quartz' shell around the deletion of records and alerts that are older than kept.</summary>
[DisallowConcurrentExecution]
internal sealed class RetentionJob(Retention retention, ILogger<RetentionJob> log) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        try
        {
            await retention.RunAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SchedulingLog.RetentionFailed(log, e);
        }
    }
}
