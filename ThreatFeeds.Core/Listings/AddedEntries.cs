using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Listings;

/// <summary>What changes added to what is listed, as indexes to search with.</summary>
public sealed class AddedEntries(IContextFactory contexts, StoredSets stored)
{
    /// <summary>An index of the entries these changes added, or null when none of their feeds is listed any more.</summary>
    public async Task<IndicatorIndex?> LoadAsync(IReadOnlyCollection<long> generations, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Asked again where a set was swept while it was read: what is listed by now says what to read instead.
            if (await TryLoadAsync(generations, cancellationToken) is { } feeds)
            {
                return feeds.Count == 0 ? null : IndicatorIndex.Build(feeds);
            }
        }
    }

    /// <summary>Null when a set was swept away while it was being read.</summary>
    private async Task<List<IndexedFeed>?> TryLoadAsync(IReadOnlyCollection<long> generations, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var changes = await (from c in db.ListingChanges
                             join l in db.Listings on c.ListingId equals l.Id
                             where generations.Contains(c.Generation) && c.AddedSetId != null && l.Enabled
                             select new { c.Generation, l.Feed, l.MatchSubdomains, Set = c.AddedSetId!.Value, Current = l.SetId }).ToListAsync(cancellationToken);
        var feeds = new List<IndexedFeed>();
        foreach (var change in changes)
        {
            DatedSet? set = await TryReadAsync(change.Set, cancellationToken);
            if (set is null && await db.ListingChanges.AnyAsync(c => c.Generation == change.Generation && c.AddedSetId == change.Set, cancellationToken))
            {
                // What a change added is kept as long as the change: it is damaged. All that its feed lists now has in it whatever is left of it.
                if (change.Current is { } current && current != change.Set)
                {
                    set = await TryReadAsync(current, cancellationToken);
                    if (set is null && !await db.Listings.AnyAsync(l => l.Feed == change.Feed && l.SetId == current, cancellationToken))
                    {
                        return null;
                    }
                }
                // Damaged as well: all of what replaces it will be a change of its own.
            }
            if (set is not null)
            {
                feeds.Add(new IndexedFeed(change.Feed, set.Set, change.MatchSubdomains));
            }
        }
        return feeds;
    }

    /// <summary>Null when it is damaged or not there.</summary>
    private async Task<DatedSet?> TryReadAsync(long id, CancellationToken cancellationToken)
    {
        try
        {
            return await stored.ReadAsync(id, cancellationToken);
        }
        catch (DamagedSetException)
        {
            return null;
        }
    }
}
