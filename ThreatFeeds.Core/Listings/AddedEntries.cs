using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Manifests;
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
                             select new { l.Feed, l.MatchSubdomains, Set = c.AddedSetId!.Value }).ToListAsync(cancellationToken);
        var feeds = new List<IndexedFeed>();
        foreach (var change in changes)
        {
            if (await stored.ReadAsync(change.Set, cancellationToken) is { } set)
            {
                feeds.Add(new IndexedFeed(change.Feed, set.Set, change.MatchSubdomains));
            }
        }
        return feeds.Count == 0 ? null : IndicatorIndex.Build(feeds);
    }
}
