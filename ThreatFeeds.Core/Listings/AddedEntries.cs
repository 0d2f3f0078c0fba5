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
        await using ThreatFeedsContext db = contexts.Create();
        var changes = await (from c in db.ListingChanges
                             join l in db.Listings on c.ListingId equals l.Id
                             where generations.Contains(c.Generation) && c.AddedSetId != null && l.Enabled
                             select new { l.Feed, l.MatchSubdomains, Set = c.AddedSetId!.Value, Current = l.SetId }).ToListAsync(cancellationToken);
        var feeds = new List<IndexedFeed>();
        foreach (var change in changes)
        {
            if (await ReadAsync(change.Set, change.Current, cancellationToken) is { } set)
            {
                feeds.Add(new IndexedFeed(change.Feed, set.Set, change.MatchSubdomains));
            }
        }
        return feeds.Count == 0 ? null : IndicatorIndex.Build(feeds);
    }

    /// <summary>
    /// What a change added; when that is damaged, all that its feed lists now, in which whatever is left of it stands. Null when that is damaged too: all of what
    /// replaces it will be a change of its own.
    /// </summary>
    private async Task<DatedSet?> ReadAsync(long added, long? current, CancellationToken cancellationToken) =>
        await TryReadAsync(added, cancellationToken) ?? (current is { } id && id != added ? await TryReadAsync(id, cancellationToken) : null);

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
