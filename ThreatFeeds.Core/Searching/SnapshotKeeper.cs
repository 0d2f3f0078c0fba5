using Microsoft.Extensions.Logging;
using ThreatFeeds.Listings;

namespace ThreatFeeds.Searching;

/// <summary>Builds the newest snapshot beside the searches, which go on with an older one meanwhile.</summary>
public sealed class SnapshotKeeper(Snapshots snapshots, SearchSignals signals, SearchHealth health, ILogger<SnapshotKeeper> logger)
{
    private static readonly TimeSpan Doze = TimeSpan.FromSeconds(5);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        long told = 0;
        while (true)
        {
            try
            {
                Snapshot newest = await snapshots.RefreshAsync(cancellationToken);
                if (newest.Generation != told)
                {
                    // They wait for it, and do not build it themselves.
                    told = newest.Generation;
                    signals.WakeForward();
                }
                await health.DamagedAsync(newest.Damaged, cancellationToken);
                await health.SnapshotBuiltAsync(cancellationToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                SearchingLog.SnapshotFailed(logger, problem);
                await health.SnapshotFailedAsync(problem, cancellationToken);
            }
            await signals.Snapshot.WaitAsync(Doze, cancellationToken);
        }
    }
}
