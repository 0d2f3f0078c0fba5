using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>
/// Deletes alerts whose last hit, and whose opening, are older than Alerts:RetentionDays, with their hits. An alert goes at once for whoever reads; its hits,
/// which may be millions, go in parts, so that others get to write in between. What a stop leaves of them goes the next time.
/// </summary>
public sealed class AlertRetention(IContextFactory contexts, AlertOptions options)
{
    private const int AlertsAtOnce = 200;
    private const int HitsAtOnce = 5000;

    /// <summary>News of alerts is kept this long for whoever notifies.</summary>
    private static readonly TimeSpan NewsKept = TimeSpan.FromDays(7);

    /// <summary>Returns the number of alerts deleted.</summary>
    /// <param name="now">The time to go by; a clock that has just leapt is not believed.</param>
    public async Task<int> RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        DateTimeOffset limit = now - TimeSpan.FromDays(options.RetentionDays);
        await TrimAsync(now, limit.UtcDateTime, cancellationToken);
        int deleted = 0;
        while (true)
        {
            int some = await DeleteAlertsAsync(limit, cancellationToken);
            while (!await DeleteHitsAsync(cancellationToken))
            {
            }
            deleted += some;
            if (some == 0)
            {
                return deleted;
            }
        }
    }

    private async Task<int> DeleteAlertsAsync(DateTimeOffset limit, CancellationToken cancellationToken)
    {
        long before = limit.ToUnixTimeMilliseconds();
        // Old logs that arrive now make alerts that somebody must still get to see.
        DateTime openedBefore = limit.UtcDateTime;
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        IQueryable<AlertRow> old = db.Alerts.Where(a => a.LastSeen < before && a.OpenedAt < openedBefore);
        var chosen = await old.OrderBy(a => a.LastSeen).Take(AlertsAtOnce).Select(a => new { a.Id, a.Indicator }).ToListAsync(cancellationToken);
        // Whoever writes hits takes these locks first, too: none joins an alert that is being deleted, and none is waited for in another order.
        await HitWriter.LockAsync(db, chosen.Select(a => a.Indicator), cancellationToken);
        long[] ids = [.. chosen.Select(a => a.Id)];
        // Looked at again: a hit may have joined before the lock.
        ids = await old.Where(a => ids.Contains(a.Id)).Select(a => a.Id).ToArrayAsync(cancellationToken);
        await db.InsertManyAsync("gone_alerts", ["AlertId"], [.. ids.Select(i => new object[] { i })], "", cancellationToken);
        await db.AlertSamples.Where(s => ids.Contains(s.AlertId)).ExecuteDeleteAsync(cancellationToken);
        await db.Alerts.Where(a => ids.Contains(a.Id)).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return ids.Length;
    }

    /// <summary>Deletes some of the hits of deleted alerts.</summary>
    /// <returns>Whether that was all.</returns>
    private async Task<bool> DeleteHitsAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        long[] gone = await db.GoneAlerts.OrderBy(g => g.AlertId).Select(g => g.AlertId).Take(AlertsAtOnce).ToArrayAsync(cancellationToken);
        if (gone.Length == 0)
        {
            return true;
        }
        // A known hit may gain a feed, which its alert then gains: whoever writes that has the same locks, taken in the same order, and does not come between the hits and their feeds.
        string[] indicators = await db.Hits.Where(h => gone.Contains(h.AlertId)).OrderBy(h => h.AlertId).Take(HitsAtOnce).Select(h => h.Indicator).Distinct().ToArrayAsync(cancellationToken);
        await HitWriter.LockAsync(db, indicators, cancellationToken);
        await db.Hits.Where(h => gone.Contains(h.AlertId) && indicators.Contains(h.Indicator)).OrderBy(h => h.AlertId).Take(HitsAtOnce).ExecuteDeleteAsync(cancellationToken);
        long[] left = await db.Hits.Where(h => gone.Contains(h.AlertId)).Select(h => h.AlertId).Distinct().ToArrayAsync(cancellationToken);
        gone = [.. gone.Except(left)];
        await db.AlertFeeds.Where(f => gone.Contains(f.AlertId)).ExecuteDeleteAsync(cancellationToken);
        await db.GoneAlerts.Where(g => gone.Contains(g.AlertId)).ExecuteDeleteAsync(cancellationToken);
        bool more = await db.GoneAlerts.AnyAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return !more;
    }

    private async Task TrimAsync(DateTimeOffset now, DateTime before, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        DateTime stale = (now - NewsKept).UtcDateTime;
        await db.AlertOutbox.Where(o => o.At < stale).ExecuteDeleteAsync(cancellationToken);
        await db.SetAside.Where(s => s.At < before).ExecuteDeleteAsync(cancellationToken);
        await db.FeedHits.Where(f => !db.Listings.Any(l => l.FeedUid == f.FeedUid)).ExecuteDeleteAsync(cancellationToken);
    }
}
