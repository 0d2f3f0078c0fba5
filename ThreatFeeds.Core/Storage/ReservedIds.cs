using Microsoft.EntityFrameworkCore;

namespace ThreatFeeds.Storage;

/// <summary>Numbers for rows that are written in bulk, of the same sequence from which the database would give them: none is given twice, also after the row is gone.</summary>
public static class ReservedIds
{
    /// <summary>So many numbers in rising order, for a table whose key is <c>Id</c>. Within the caller's transaction, which on SQLite holds the lock of the only writer.</summary>
    public static async Task<IReadOnlyList<long>> ReserveIdsAsync(this ThreatFeedsContext db, string table, int count, CancellationToken cancellationToken)
    {
        if (count == 0)
        {
            return [];
        }
        if (db.LocksRows)
        {
            List<long> given = await db.Database
                .SqlQuery<long>($"""SELECT nextval(pg_get_serial_sequence({table}, 'Id')) AS "Value" FROM generate_series(1, {count})""").ToListAsync(cancellationToken);
            given.Sort();
            return given;
        }
        // The rows' own numbers raise it: each is higher than all before.
        long last = await db.Database.SqlQuery<long>($"""SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = {table}), 0) AS "Value" """).SingleAsync(cancellationToken);
        return [.. Enumerable.Range(1, count).Select(i => last + i)];
    }
}
