using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>Tells a test that a statement of another connection stands before a lock of PostgreSQL.</summary>
internal static class LockWaits
{
    public static async Task<bool> AnyAsync(IContextFactory contexts)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.Database.SqlQuery<int>($"""SELECT 1 AS "Value" FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'""").AnyAsync();
    }
}
