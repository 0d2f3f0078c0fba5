using Hangfire;
using ThreatFeeds.Resources;

namespace ThreatFeeds.Jobs;

/// <summary>Each hour: forgets changes of resources beyond their bounds.</summary>
public sealed class CompactionJob(ResourceChangeLog changes)
{
    [Queue(Queues.Upkeep)]
    [AutomaticRetry(Attempts = 0)]
    public Task RunAsync(CancellationToken cancellationToken) => changes.CompactAsync(cancellationToken);
}
