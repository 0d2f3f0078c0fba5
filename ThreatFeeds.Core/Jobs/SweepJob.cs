using Hangfire;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>Every ten seconds: finds the work that nobody was woken for, because whoever should have been has died or could not reach the database.</summary>
public sealed class SweepJob(RunQueue runs, LookBackLoop lookBacks, SearchSignals signals)
{
    [Queue(Queues.Upkeep)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await runs.TakeOverAsync(cancellationToken);
        foreach (string feed in await runs.QueuedFeedsAsync(cancellationToken))
        {
            runs.Woken(feed);
        }
        foreach (string source in await lookBacks.SourcesAsync(cancellationToken))
        {
            signals.WantLookBack(source);
        }
    }
}
