using Hangfire;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Alerts;
using ThreatFeeds.Listings;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Jobs;

/// <summary>Deletes what is kept no longer: records, alerts, changes everybody has seen, sets nobody names. One that fails does not keep the others from their turn.</summary>
public sealed class RetentionJob(Retention records, AlertRetention alerts, ListingChanges changes, SetSweeper sets, ILogger<RetentionJob> log)
{
    [Queue(Queues.Upkeep)]
    [AutomaticRetry(Attempts = 0)]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        long deleted = await TryAsync(() => records.RunAsync(cancellationToken));
        long gone = await TryAsync(async () => await alerts.RunAsync(cancellationToken));
        await TryAsync(() => changes.SweepAsync(cancellationToken));
        long swept = await TryAsync(async () => await sets.SweepAsync(cancellationToken));
        if (deleted + gone + swept > 0)
        {
            JobsLog.Retained(log, deleted, gone, swept);
        }
        if (failures.Count > 0)
        {
            // The run shows as failed; it comes again at its next time.
            throw new AggregateException(failures);
        }

        async Task<long> TryAsync(Func<Task<long>> part)
        {
            try
            {
                return await part();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                JobsLog.RetentionFailed(log, e);
                failures.Add(e);
                return 0;
            }
        }
    }
}
