using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>Deletes stored sets that no listing and no remembered change names.</summary>
public sealed class SetSweeper(IContextFactory contexts, StoredSets sets, TimeProvider time)
{
    /// <summary>A set being written is not named by anything yet; it gets this long.</summary>
    private static readonly TimeSpan Unnamed = TimeSpan.FromHours(1);

    /// <summary>Sweeps once; returns the number of sets removed.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        DateTime before = time.GetUtcNow().UtcDateTime - Unnamed;
        List<long> orphans = await db.StoredSets
            .Where(s => s.CreatedAt < before && !db.Listings.Any(l => l.SetId == s.Id) && !db.ListingChanges.Any(c => c.AddedSetId == s.Id))
            .Select(s => s.Id).ToListAsync(cancellationToken);
        foreach (long id in orphans)
        {
            await sets.DeleteAsync(id, cancellationToken);
        }
        return orphans.Count;
    }
}
