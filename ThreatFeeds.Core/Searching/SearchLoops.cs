using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Searching;

/// <summary>Runs the searches: for each source one loop forward (woken by appends) and one back (woken by generations).</summary>
public sealed class SearchLoops(ILogStore logs, SearchSteps steps, Snapshots snapshots, SearchHealth health, SearchSignals signals) : BackgroundService
{
    /// <summary>How long a loop sleeps when nothing wakes it.</summary>
    private static readonly TimeSpan Doze = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        logs.Appended += signals.Appended;
        try
        {
            List<Task> loops = [health.StampAsync(stoppingToken), SnapshotLoopAsync(stoppingToken)];
            foreach (LogSource source in logs.Sources)
            {
                loops.Add(LoopAsync("forward", source, steps.Forward.StepAsync, signals.Forward(source), stoppingToken));
                loops.Add(LoopAsync("look-back", source, steps.LookBack.StepAsync, signals.LookBack(source), stoppingToken));
            }
            await Task.WhenAll(loops);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            logs.Appended -= signals.Appended;
        }
    }

    /// <summary>Builds the newest snapshot beside the searches, which go on with an older one meanwhile.</summary>
    private async Task SnapshotLoopAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await snapshots.RefreshAsync(cancellationToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                health.SnapshotFailed(problem);
            }
            await signals.Snapshot.WaitAsync(Doze, cancellationToken);
        }
    }

    private async Task LoopAsync(string search, LogSource source, Func<LogSource, CancellationToken, Task<StepResult>> step, Wake wake, CancellationToken cancellationToken)
    {
        TimeSpan pause = TimeSpan.Zero;
        while (true)
        {
            try
            {
                StepResult result = await step(source, cancellationToken);
                await health.SucceededAsync(search, source, cancellationToken);
                pause = TimeSpan.Zero;
                if (result == StepResult.Idle)
                {
                    health.Idle();
                    await wake.WaitAsync(Doze, cancellationToken);
                }
                else
                {
                    // A moved mark may have opened look-backs.
                    signals.LookBack(source).Up();
                }
            }
            catch (Exception problem) when (problem is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // Marks stay where they are: whatever failed is searched again, so waiting loses nothing.
                pause = TimeSpan.FromSeconds(Math.Clamp(pause.TotalSeconds * 2, 0.2, 30));
                await health.FailedAsync(search, source, problem, cancellationToken);
                await signals.PauseAsync(pause, cancellationToken);
            }
        }
    }
}

/// <summary>The two kinds of step.</summary>
public sealed record SearchSteps(ForwardSearch Forward, LookBackSearch LookBack);

/// <summary>Wakes the loops: appends wake the forward search of their source, changes of what is listed wake everything.</summary>
public sealed class SearchSignals : IDisposable
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string, bool), Wake> _wakes = new();
    private readonly Listings _listings;
    private readonly TimeProvider _time;

    public SearchSignals(Listings listings, TimeProvider time)
    {
        _listings = listings;
        _time = time;
        Snapshot = new Wake(time);
        listings.ListingChanged += All;
    }

    internal Wake Snapshot { get; }

    internal Wake Forward(LogSource source) => _wakes.GetOrAdd((source.Id, true), _ => new Wake(_time));

    internal Wake LookBack(LogSource source) => _wakes.GetOrAdd((source.Id, false), _ => new Wake(_time));

    internal void Appended(LogSource source) => Forward(source).Up();

    internal Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => Task.Delay(pause, _time, cancellationToken);

    public void Dispose() => _listings.ListingChanged -= All;

    private void All()
    {
        Snapshot.Up();
        foreach (Wake wake in _wakes.Values)
        {
            wake.Up();
        }
    }
}
