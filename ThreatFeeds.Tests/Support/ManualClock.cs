namespace ThreatFeeds.Tests.Support;

/// <summary>A clock that stands still until it is advanced; timers due then fire in order, on the advancing thread.</summary>
internal sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = start;

    public ManualClock() : this(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>How many timers wait; a test waits for this before it advances past them.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _timers.Count;
            }
        }
    }

    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        DateTimeOffset until = GetUtcNow() + by;
        while (NextDue(until) is { } timer)
        {
            timer.Fire();
        }
        lock (_lock)
        {
            _now = until;
        }
    }

    /// <summary>Advances step by step, as long as something waits for the clock, until a condition holds; fails after a minute and a half of real time.</summary>
    public async Task AdvanceUntilAsync(TimeSpan step, Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await holds())
        {
            if (Waiting > 0)
            {
                Advance(step);
            }
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private ManualTimer? NextDue(DateTimeOffset until)
    {
        lock (_lock)
        {
            ManualTimer? next = _timers.Where(t => t.Due <= until).MinBy(t => t.Due);
            if (next is null)
            {
                return null;
            }
            _now = next.Due > _now ? next.Due : _now;
            _timers.Remove(next);
            if (next.Period > TimeSpan.Zero)
            {
                next.Due += next.Period;
                _timers.Add(next);
            }
            return next;
        }
    }

    private sealed class ManualTimer(ManualClock clock, Action fire) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                Period = period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock._now + dueTime;
                    clock._timers.Add(this);
                }
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
