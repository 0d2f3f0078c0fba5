using ThreatFeeds.Sets;

namespace ThreatFeeds.Listings;

/// <summary>Forgets changes that nobody will read again, then deletes the sets that nothing names any more.</summary>
public sealed class ListingSweep(ListingChanges changes, SetSweeper sets)
{
    /// <summary>Returns the number of sets deleted.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await changes.SweepAsync(cancellationToken);
        return await sets.SweepAsync(cancellationToken);
    }
}
