using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>Finds the hits that are stored already, each by its key: SQLite is given the ids end to end and begins with them, since a list of them would make it read the whole table.</summary>
internal static class KnownHits
{
    private const int AtOnce = 10_000;

    /// <returns>The rows by their id.</returns>
    public static async Task<Dictionary<HitId, HitRow>> FindAsync(ThreatFeedsContext db, IEnumerable<HitId> ids, CancellationToken cancellationToken)
    {
        var known = new Dictionary<HitId, HitRow>();
        foreach (HitId[] part in ids.Chunk(AtOnce))
        {
            foreach (HitRow row in await Of(db, part).AsNoTracking().ToListAsync(cancellationToken))
            {
                known[HitId.Read(row.Id)] = row;
            }
        }
        return known;
    }

    internal static IQueryable<HitRow> Of(ThreatFeedsContext db, HitId[] ids)
    {
        if (db.LocksRows)
        {
            byte[][] keys = [.. ids.Select(i => i.ToBytes())];
            return db.Hits.FromSql($"""SELECT h.* FROM unnest({keys}) AS k(id) JOIN hits h ON h."Id" = k.id""");
        }
        byte[] joined = [.. ids.SelectMany(i => i.ToBytes())];
        return db.Hits.FromSql(
            $"""
            SELECT h.* FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + {HitId.Bytes} FROM n WHERE i + {HitId.Bytes} <= {joined.Length}) SELECT i FROM n) n
            CROSS JOIN hits h ON h."Id" = substr({joined}, n.i, {HitId.Bytes})
            """);
    }
}
