using ThreatFeeds.Storage;

namespace ThreatFeeds.Runs;

/// <summary>Keeps a run's lease while the work goes on. Work is cancelled when the lease is lost: somebody else may be doing the run by then.</summary>
public sealed class RunLease : IAsyncDisposable
{
    private readonly RunQueue _queue;
    private readonly RunRow _run;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _work;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _renewing;

    /// <param name="cancellationToken">Ends the work, too.</param>
    public RunLease(RunQueue queue, RunRow run, TimeProvider time, CancellationToken cancellationToken)
    {
        _queue = queue;
        _run = run;
        _time = time;
        _work = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _renewing = RenewAsync();
    }

    /// <summary>For the work.</summary>
    public CancellationToken Token => _work.Token;

    /// <summary>True when the work was cancelled because somebody else may do the run.</summary>
    public bool Lost { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _renewing;
        _over.Dispose();
        _work.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            long renewed = _time.GetTimestamp();
            while (true)
            {
                await Task.Delay(RunQueue.LeaseTime / 3, _time, _over.Token);
                bool? ours;
                try
                {
                    ours = await _queue.RenewAsync(_run, _over.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The database is away. The lease holds until it is over, whoever cannot reach whom.
                    ours = null;
                }
                if (ours == true)
                {
                    renewed = _time.GetTimestamp();
                }
                else if (ours == false || _time.GetElapsedTime(renewed) >= RunQueue.LeaseTime)
                {
                    Lost = true;
                    await _work.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
        }
    }
}
