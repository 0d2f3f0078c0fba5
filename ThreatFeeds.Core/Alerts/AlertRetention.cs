using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>Deletes alerts whose last hit, and whose opening, are older than Alerts:RetentionDays, with their hits.</summary>
public sealed class AlertRetention(IContextFactory contexts, AlertOptions options)
{
    private const int AtOnce = 200;

    /// <summary>News of alerts is kept this long for whoever notifies.</summary>
    private static readonly TimeSpan NewsKept = TimeSpan.FromDays(7);

    /// <summary>Returns the number of alerts deleted.</summary>
    /// <param name="now">The time to go by; a clock that has just leapt is not believed.</param>
    public async Task<int> RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        DateTimeOffset limit = now - TimeSpan.FromDays(options.RetentionDays);
        long before = limit.ToUnixTimeMilliseconds();
        // Old logs that arrive now make alerts that somebody must still get to see.
        DateTime openedBefore = limit.UtcDateTime;
        await TrimAsync(now, openedBefore, cancellationToken);
        int deleted = 0;
        while (true)
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            long[] ids = await db.Alerts.Where(a => a.LastSeen < before && a.OpenedAt < openedBefore).OrderBy(a => a.LastSeen).Select(a => a.Id).Take(AtOnce).ToArrayAsync(cancellationToken);
            if (ids.Length == 0)
            {
                return deleted;
            }
            await db.AlertSamples.Where(s => ids.Contains(s.AlertId)).ExecuteDeleteAsync(cancellationToken);
            await db.AlertFeeds.Where(f => ids.Contains(f.AlertId)).ExecuteDeleteAsync(cancellationToken);
            await db.Hits.Where(h => ids.Contains(h.AlertId)).ExecuteDeleteAsync(cancellationToken);
            await db.Alerts.Where(a => ids.Contains(a.Id)).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            deleted += ids.Length;
        }
    }

    private async Task TrimAsync(DateTimeOffset now, DateTime before, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        DateTime stale = now.UtcDateTime - NewsKept;
        await db.AlertOutbox.Where(o => o.At < stale).ExecuteDeleteAsync(cancellationToken);
        await db.SetAside.Where(s => s.At < before).ExecuteDeleteAsync(cancellationToken);
    }
}
