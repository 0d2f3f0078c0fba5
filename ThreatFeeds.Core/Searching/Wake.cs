namespace ThreatFeeds.Searching;

/// <summary>Lets a loop sleep until there is work. Waking twice before it looks is waking once; a wake-up is never lost.</summary>
internal sealed class Wake(TimeProvider time)
{
    private TaskCompletionSource _signal = New();

    public void Up() => Volatile.Read(ref _signal).TrySetResult();

    /// <summary>Waits for the next <see cref="Up"/>, or for the time-out: other processes on the same database cannot wake us.</summary>
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await Volatile.Read(ref _signal).Task.WaitAsync(timeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return;
        }
        Volatile.Write(ref _signal, New());
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
