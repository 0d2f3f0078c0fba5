using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>Bytes that were written up to a moment: by this process (SQLite's log and file, on Linux), or to PostgreSQL's write-ahead log.</summary>
internal sealed record WrittenBytes(long Count)
{
    public static async Task<WrittenBytes> NowAsync(IContextFactory contexts)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (db.LocksRows)
        {
            return new WrittenBytes(await db.Database.SqlQuery<long>($"SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS \"Value\"").SingleAsync());
        }
        await db.Database.ExecuteSqlAsync($"PRAGMA wal_checkpoint(TRUNCATE)");
        string line = (await File.ReadAllLinesAsync("/proc/self/io")).First(l => l.StartsWith("wchar:", StringComparison.Ordinal));
        return new WrittenBytes(long.Parse(line["wchar:".Length..], CultureInfo.InvariantCulture));
    }

    /// <summary>What the tables take, indexes included; on SQLite the whole file.</summary>
    public static async Task<long> StoredAsync(IContextFactory contexts, string[] tables)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return db.LocksRows
            ? await db.Database.SqlQuery<long>($"SELECT sum(pg_total_relation_size(t::regclass))::bigint AS \"Value\" FROM unnest({tables}) AS t").SingleAsync()
            : await db.Database.SqlQuery<long>($"SELECT page_count * page_size AS \"Value\" FROM pragma_page_count(), pragma_page_size()").SingleAsync();
    }
}
