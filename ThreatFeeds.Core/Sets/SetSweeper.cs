using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>Deletes stored sets and changes that nothing can ask for any more.</summary>
public sealed class SetSweeper(IContextFactory contexts, SetFiles files, TimeProvider time)
{
    /// <summary>A set being written is not named by anything yet; it gets this long.</summary>
    private static readonly TimeSpan Unnamed = TimeSpan.FromHours(1);

    /// <summary>Sweeps once; returns the number of sets removed.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        List<long> generations = await db.Progress.Select(p => p.Generation).ToListAsync(cancellationToken);
        if (generations.Count > 0)
        {
            // A change that every source has passed, and whose look-backs are done, will never be read again.
            long passed = generations.Min();
            await db.ListingChanges.Where(c => c.Generation <= passed && !db.LookBacks.Any(l => l.Generation == c.Generation)).ExecuteDeleteAsync(cancellationToken);
        }
        DateTime before = time.GetUtcNow().UtcDateTime - Unnamed;
        List<long> orphans = await db.StoredSets
            .Where(s => s.CreatedAt < before && !db.Listings.Any(l => l.SetId == s.Id) && !db.ListingChanges.Any(c => c.AddedSetId == s.Id))
            .Select(s => s.Id).ToListAsync(cancellationToken);
        foreach (long id in orphans)
        {
            await files.DeleteAsync(id, cancellationToken);
        }
        return orphans.Count;
    }
}
