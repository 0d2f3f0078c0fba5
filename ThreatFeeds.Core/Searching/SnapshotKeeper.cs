using Microsoft.Extensions.Logging;
using ThreatFeeds.Listings;

namespace ThreatFeeds.Searching;

/// <summary>Builds the newest snapshot beside the searches, which go on with an older one meanwhile.</summary>
public sealed class SnapshotKeeper(Snapshots snapshots, SearchSignals signals, ILogger<SnapshotKeeper> logger)
{
    private static readonly TimeSpan Doze = TimeSpan.FromSeconds(5);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await snapshots.RefreshAsync(cancellationToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                SearchingLog.SnapshotFailed(logger, problem);
            }
            await signals.Snapshot.WaitAsync(Doze, cancellationToken);
        }
    }
}
