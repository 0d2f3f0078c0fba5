using Microsoft.EntityFrameworkCore;

namespace ThreatFeeds.Storage;

/// <summary>The database's own clock, which all processes on it share: leases go by it, whatever each machine thinks the time is.</summary>
public static class DatabaseClock
{
    /// <summary>UTC.</summary>
    public static async Task<DateTime> NowAsync(this ThreatFeedsContext db, CancellationToken cancellationToken)
    {
        if (db.LocksRows)
        {
            List<DateTime> now = await db.Database.SqlQuery<DateTime>($"SELECT clock_timestamp() AT TIME ZONE 'UTC' AS \"Value\"").ToListAsync(cancellationToken);
            return DateTime.SpecifyKind(now[0], DateTimeKind.Utc);
        }
        List<string> text = await db.Database.SqlQuery<string>($"SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS \"Value\"").ToListAsync(cancellationToken);
        return DateTimeOffset.Parse(text[0], System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;
    }
}
