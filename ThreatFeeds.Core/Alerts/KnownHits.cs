using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>
/// Finds the hits that are stored already. SQLite is asked for one id at a time with a prepared statement, by its key; a list of ids would
/// make it read the whole table.
/// </summary>
internal static class KnownHits
{
    /// <returns>The rows by the hexadecimal form of their id.</returns>
    public static async Task<Dictionary<string, HitRow>> FindAsync(ThreatFeedsContext db, List<byte[]> ids, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, HitRow>();
        byte[][] stored = db.LocksRows ? [.. ids] : await StoredAsync(db, ids, cancellationToken);
        foreach (byte[][] part in stored.Chunk(1000))
        {
            List<HitRow> rows = db.LocksRows
                ? await db.Hits.FromSql($"""SELECT * FROM hits WHERE "Id" = ANY({part})""").AsNoTracking().ToListAsync(cancellationToken)
                : [];
            foreach (byte[] id in db.LocksRows ? [] : part)
            {
                rows.Add(await db.Hits.AsNoTracking().FirstAsync(h => h.Id == id, cancellationToken));
            }
            foreach (HitRow row in rows)
            {
                known[Convert.ToHexString(row.Id)] = row;
            }
        }
        return known;
    }

    private static async Task<byte[][]> StoredAsync(ThreatFeedsContext db, List<byte[]> ids, CancellationToken cancellationToken)
    {
        var stored = new List<byte[]>();
        await using DbCommand command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        command.CommandText = """SELECT 1 FROM hits WHERE "Id" = @id""";
        DbParameter parameter = command.CreateParameter();
        parameter.ParameterName = "id";
        command.Parameters.Add(parameter);
        foreach (byte[] id in ids)
        {
            parameter.Value = id;
            if (await command.ExecuteScalarAsync(cancellationToken) is not null)
            {
                stored.Add(id);
            }
        }
        return [.. stored];
    }
}
