using Hangfire;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Alerts;
using ThreatFeeds.Listings;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>Deletes what is kept no longer: records, alerts, changes everybody has seen, sets nobody names. One that fails does not keep the others from their turn.</summary>
public sealed class RetentionJob(RecordRetention records, AlertRetention alerts, ListingSweep listings, RetentionClock clock, ILogger<RetentionJob> log)
{
    [Queue(Queues.Retention)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        DateTimeOffset now = await clock.NowAsync(cancellationToken);
        long deleted = await TryAsync(() => records.RunAsync(now, cancellationToken));
        long gone = await TryAsync(async () => await alerts.RunAsync(now, cancellationToken));
        long swept = await TryAsync(async () => await listings.RunAsync(cancellationToken));
        if (deleted + gone + swept > 0)
        {
            JobsLog.Retained(log, deleted, gone, swept);
        }
        if (failures.Count > 0)
        {
            // It comes again at its next time.
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
