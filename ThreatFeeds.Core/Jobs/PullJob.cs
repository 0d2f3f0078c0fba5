using System.Collections.Concurrent;
using Hangfire;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Jobs;

/// <summary>Carries out what is queued for a feed. One that finds nothing, or another at work, leaves.</summary>
public sealed class PullJob(RunQueue runs, PullFeed pull, TimeProvider time, ILogger<PullJob> log)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>The run of each feed that was given back last.</summary>
    private readonly ConcurrentDictionary<string, long> _givenBack = new();

    [Queue(Queues.Pulls)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(string feed, CancellationToken cancellationToken)
    {
        while (await runs.StartNextAsync(feed, cancellationToken) is { } run)
        {
            bool again = !_givenBack.TryGetValue(feed, out long last) || last != run.Id;
            await using (var lease = new RunLease(runs, run, time, cancellationToken))
            {
                try
                {
                    await pull.RunAsync(run, lease.Token, isDoneAgain: again);
                }
                catch (OperationCanceledException) when (lease.Lost)
                {
                    JobsLog.LeaseLost(log, feed, run.Id);
                }
            }
            if (again)
            {
                await GiveBackAsync(run, cancellationToken);
            }
        }
    }

    /// <summary>
    /// A run that is still open, since the database was away, is done again as soon as it answers. Once: what fails then fails for another reason, and the server
    /// it pulls from is not asked again before its time.
    /// </summary>
    private async Task GiveBackAsync(RunRow run, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        do
        {
            try
            {
                if (await runs.GiveBackAsync(run, cancellationToken))
                {
                    _givenBack[run.Feed] = run.Id;
                    JobsLog.GivenBack(log, run.Feed, run.Id);
                }
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
        while (time.GetElapsedTime(start) < RunQueue.LeaseTime);
    }
}
