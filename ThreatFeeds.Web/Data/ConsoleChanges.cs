namespace ThreatFeeds.Web.Data;

/// <summary>
/// Tells open pages that something they may show has changed, at most once a second for all of them: the first change at once, what follows within the second
/// together at its end. A change is never lost.
/// </summary>
public sealed class ConsoleChanges : IDisposable
{
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private ConsoleChange _waiting;
    private long? _last;

    public ConsoleChanges(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _timer = time.CreateTimer(_ => TellWaiting(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Raised after something shown by the console changed, from any thread. Handlers return at once.</summary>
    public event Action<ConsoleChange>? Changed;

    internal void Raise(ConsoleChange change)
    {
        lock (_lock)
        {
            if (_waiting != ConsoleChange.None)
            {
                _waiting |= change;
                return;
            }
            TimeSpan left = _last is { } last ? Pause - _time.GetElapsedTime(last) : TimeSpan.Zero;
            if (left > TimeSpan.Zero)
            {
                _waiting = change;
                _timer.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
            _last = _time.GetTimestamp();
        }
        Changed?.Invoke(change);
    }

    public void Dispose() => _timer.Dispose();

    private void TellWaiting()
    {
        ConsoleChange change;
        lock (_lock)
        {
            (change, _waiting) = (_waiting, ConsoleChange.None);
            _last = _time.GetTimestamp();
        }
        Changed?.Invoke(change);
    }
}
