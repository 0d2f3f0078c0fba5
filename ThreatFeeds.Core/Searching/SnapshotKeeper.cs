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
        while (true)
        {
            try
            {
                await health.DamagedAsync((await snapshots.RefreshAsync(cancellationToken)).Damaged, cancellationToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                SearchingLog.SnapshotFailed(logger, problem);
            }
            await signals.Snapshot.WaitAsync(Doze, cancellationToken);
        }
    }
}
