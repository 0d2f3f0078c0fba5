using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>Deletes stored sets that no listing and no remembered change names, and whose chunks no other set shares.</summary>
public sealed class SetSweeper(IContextFactory contexts)
{
    /// <summary>A set being written is not named by anything yet; it gets this long, by the database's clock.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromHours(1);

    /// <summary>Sweeps once; returns the number of sets removed.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        List<long> orphans;
        await using (ThreatFeedsContext look = contexts.Create())
        {
            DateTime before = await look.NowAsync(cancellationToken) - Young;
            // A base is older than what shares its chunks: newest first, one sweep takes both.
            orphans = await Unnamed(look).Where(s => s.CreatedAt < before).OrderByDescending(s => s.Id).Select(s => s.Id).ToListAsync(cancellationToken);
        }
        int swept = 0;
        foreach (long id in orphans)
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            if (db.LocksRows)
            {
                // Who names it marks its row in the same transaction, and so is either seen now or finds no row.
                await db.Database.ExecuteSqlAsync($"""SELECT 1 FROM stored_sets WHERE "Id" = {id} FOR UPDATE""", cancellationToken);
            }
            if (await Unnamed(db).AnyAsync(s => s.Id == id && !db.StoredSets.Any(o => o.BaseId == id), cancellationToken))
            {
                await StoredSets.DeleteAsync(db, id, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                swept++;
            }
        }
        return swept;
    }

    private static IQueryable<StoredSetRow> Unnamed(ThreatFeedsContext db) =>
        db.StoredSets.Where(s => !db.Listings.Any(l => l.SetId == s.Id) && !db.ListingChanges.Any(c => c.AddedSetId == s.Id));
}
