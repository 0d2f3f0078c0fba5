using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>
/// The time retention goes by. A clock that stands more than a day ahead of the time it showed last and what has run since is not believed until that has
/// lasted for a day of running; meanwhile time goes on from where it was, as fast as the process runs. So a wrong clock deletes nothing at once, nor does
/// the first minute after months switched off, and in the end both are believed. Survives restarts.
/// </summary>
public sealed class RetentionClock(IContextFactory contexts, ILogStore logs, TimeProvider time, ILogger<RetentionClock> logger) : IDisposable
{
    /// <summary>More than this ahead is a leap.</summary>
    internal static readonly TimeSpan Leap = TimeSpan.FromDays(1);

    /// <summary>A leap that has lasted so long, running, is believed.</summary>
    internal static readonly TimeSpan Lasting = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _gate = new(1);
    private long? _lastAsked;
    private bool _said;

    /// <summary>About when a leap is believed; null when the clock is.</summary>
    public DateTimeOffset? WaitsUntil { get; private set; }

    public async Task<DateTimeOffset> NowAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            TimeSpan elapsed = _lastAsked is { } last ? time.GetElapsedTime(last) : TimeSpan.Zero;
            DateTimeOffset now = await JudgeAsync(time.GetUtcNow(), elapsed, cancellationToken);
            _lastAsked = time.GetTimestamp();
            return now;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<DateTimeOffset> JudgeAsync(DateTimeOffset now, TimeSpan elapsed, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        long stored = await db.ReadAsync(Counters.RetentionSeen, cancellationToken);
        long held = await db.ReadAsync(Counters.RetentionHeld, cancellationToken);
        DateTimeOffset seen = stored > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(stored) : await LastTraceAsync(db, cancellationToken) ?? now;
        bool leapt = now > seen + Leap + elapsed;
        long running = leapt ? held + (long)elapsed.TotalMilliseconds : 0;
        bool believed = !leapt || running >= Lasting.TotalMilliseconds;
        DateTimeOffset next = believed ? now : seen;
        await db.AddAsync(Counters.RetentionSeen, next.ToUnixTimeMilliseconds() - stored, cancellationToken);
        await db.AddAsync(Counters.RetentionHeld, (believed ? 0 : running) - held, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Say(now, seen, running, leapt, believed);
        return believed ? now : seen + TimeSpan.FromMilliseconds(running);
    }

    /// <summary>The newest thing that has a time, for a folder that retention never saw.</summary>
    private async Task<DateTimeOffset?> LastTraceAsync(ThreatFeedsContext db, CancellationToken cancellationToken)
    {
        DateTime? opened = await db.Alerts.MaxAsync(a => (DateTime?)a.OpenedAt, cancellationToken);
        DateTimeOffset? newest = opened is { } at ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) : null;
        foreach (LogSource source in logs.Sources)
        {
            DateTimeOffset? received = await logs.LastReceivedAtAsync(source, cancellationToken);
            newest = newest > received || received is null ? newest : received;
        }
        return newest;
    }

    private void Say(DateTimeOffset now, DateTimeOffset seen, long running, bool leapt, bool believed)
    {
        WaitsUntil = believed ? null : now + Lasting - TimeSpan.FromMilliseconds(running);
        if (WaitsUntil is { } until && !_said)
        {
            SearchingLog.ClockLeapt(logger, now, seen, until);
        }
        else if (leapt && believed)
        {
            SearchingLog.LeapBelieved(logger, seen, now);
        }
        _said = !believed;
    }
}
