using ThreatFeeds.Logs;

namespace ThreatFeeds.Searching;

/// <summary>Runs the forward searches: one loop for each source there is, woken by appends, by changes of what is listed and by the snapshot that follows them; loops begin and end as sources come and go.</summary>
public sealed class SearchLoops(ILogStore logs, ForwardSearch forward, SourceBook book, SearchHealth health, SearchSignals signals)
{
    /// <summary>How long a loop sleeps when nothing wakes it.</summary>
    internal TimeSpan Doze { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the sources are asked for.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        logs.Appended += signals.Appended;
        forward.LookBackOpened += signals.WantLookBack;
        // Ends all loops together, also when one of them breaks.
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var loops = new Dictionary<string, (Task Loop, CancellationTokenSource End)>(StringComparer.Ordinal);
        try
        {
            while (true)
            {
                await FollowAsync(loops, together.Token);
                Task pause = signals.PauseAsync(Look, together.Token);
                Task ended = await Task.WhenAny([pause, .. loops.Values.Select(l => l.Loop)]);
                await ended;
            }
        }
        finally
        {
            logs.Appended -= signals.Appended;
            forward.LookBackOpened -= signals.WantLookBack;
            await together.CancelAsync();
            await EndAsync([.. loops.Values.Select(l => l.Loop)]);
            foreach ((_, CancellationTokenSource end) in loops.Values)
            {
                end.Dispose();
            }
        }
    }

    private async Task FollowAsync(Dictionary<string, (Task Loop, CancellationTokenSource End)> loops, CancellationToken cancellationToken)
    {
        IReadOnlyList<LogSource> sources;
        IReadOnlyList<string> closed;
        try
        {
            sources = logs.Sources;
            closed = await book.SeeAsync(sources, cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // Sources that cannot be asked for are not gone.
            health.SourcesUnknown(problem);
            return;
        }
        foreach (string gone in closed)
        {
            await health.ForgetAsync(gone, cancellationToken);
        }
        foreach (LogSource source in sources.Where(s => !loops.ContainsKey(s.Id)))
        {
            var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            loops[source.Id] = (LoopAsync(source, end.Token), end);
        }
        foreach (string gone in loops.Keys.Except(sources.Select(s => s.Id)).ToList())
        {
            (Task loop, CancellationTokenSource end) = loops[gone];
            loops.Remove(gone);
            await end.CancelAsync();
            await EndAsync([loop]);
            end.Dispose();
            await health.ForgetAsync(gone, cancellationToken);
            signals.Forget(gone);
        }
    }

    private async Task LoopAsync(LogSource source, CancellationToken cancellationToken)
    {
        Wake wake = signals.Forward(source);
        TimeSpan pause = TimeSpan.Zero;
        while (true)
        {
            try
            {
                StepResult result = await forward.StepAsync(source, cancellationToken);
                await health.SucceededAsync(SearchHealth.Forward, source, cancellationToken);
                pause = TimeSpan.Zero;
                if (result is StepResult.Idle or StepResult.Waiting)
                {
                    health.Idle();
                    await wake.WaitAsync(Doze, cancellationToken);
                }
            }
            catch (Exception problem) when (problem is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // Marks stay where they are: whatever failed is searched again, so waiting loses nothing.
                pause = TimeSpan.FromSeconds(Math.Clamp(pause.TotalSeconds * 2, 0.2, 30));
                await health.FailedAsync(SearchHealth.Forward, source, problem, cancellationToken);
                await signals.PauseAsync(pause, cancellationToken);
            }
        }
    }

    /// <summary>Waits for loops that were told to end; why each did is told where it happened.</summary>
    private static async Task EndAsync(Task[] loops) => await Task.WhenAll(loops).ContinueWith(_ => { }, TaskScheduler.Default);
}
