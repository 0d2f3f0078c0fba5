using Hangfire;
using ThreatFeeds.Resources;

namespace ThreatFeeds.Jobs;

/// <summary>Each hour: forgets changes of resources beyond their bounds.</summary>
public sealed class CompactionJob(ResourceChangeLog changes)
{
    [Queue(Queues.Retention)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public Task RunAsync(CancellationToken cancellationToken) => changes.CompactAsync(cancellationToken);
}
