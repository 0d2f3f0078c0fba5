using Hangfire.Server;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>Keeps the forward search going for as long as the process lives; Hangfire begins it again after an error.</summary>
internal sealed class ForwardProcess(SearchLoops loops, SnapshotKeeper snapshots, SearchHealth health) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(context.StoppingToken);
        Task work = RunAsync(together);
        // Hangfire gives a thread of its own to what it runs here, and takes back only what returns from it.
        ((IAsyncResult)work).AsyncWaitHandle.WaitOne();
        if (work.Exception is { } problem && !context.IsStopping)
        {
            throw problem;
        }
    }

    private async Task RunAsync(CancellationTokenSource together)
    {
        Task[] parts = [loops.RunAsync(together.Token), snapshots.RunAsync(together.Token), health.StampAsync(together.Token)];
        await Task.WhenAny(parts);
        await together.CancelAsync();
        await Task.WhenAll(parts);
    }
}
