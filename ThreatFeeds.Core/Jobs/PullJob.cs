using Hangfire;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;

namespace ThreatFeeds.Jobs;

/// <summary>Carries out what is queued for a feed. One that finds nothing, or another at work, leaves.</summary>
public sealed class PullJob(RunQueue runs, PullFeed pull, TimeProvider time, ILogger<PullJob> log)
{
    [Queue(Queues.Pulls)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(string feed, CancellationToken cancellationToken)
    {
        while (await runs.StartNextAsync(feed, cancellationToken) is { } run)
        {
            await using var lease = new RunLease(runs, run, time, cancellationToken);
            try
            {
                await pull.RunAsync(run, lease.Token);
            }
            catch (OperationCanceledException) when (lease.Lost)
            {
                JobsLog.LeaseLost(log, feed, run.Id);
            }
        }
    }
}
