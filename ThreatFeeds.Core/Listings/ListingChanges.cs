using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Listings;

/// <summary>
/// Keeps, beside the feeds, what of them matters to searching, and numbers each change of what is effectively listed (a generation).
/// What changes a listing works in the caller's transaction.
/// </summary>
public sealed class ListingChanges(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Raised after a commit that may have changed what is listed. Handlers must return at once.</summary>
    public event Action? ListingChanged;

    /// <summary>Call after the transaction committed.</summary>
    public void Changed() => ListingChanged?.Invoke();

    /// <summary>Brings the listing in line with a feed that was created or changed.</summary>
    public async Task ApplyAsync(ThreatFeedsContext db, Feed feed, CancellationToken cancellationToken)
    {
        ContentKind content = feed.Spec.Content;
        ListingRow? listing = await LockedAsync(db, feed.Name, cancellationToken);
        if (listing is not null && listing.FeedUid != feed.Uid)
        {
            await RemoveAsync(db, feed.Name, cancellationToken);
            listing = null;
        }
        if (listing is null)
        {
            db.Listings.Add(new ListingRow { Feed = feed.Name, FeedUid = feed.Uid, Content = content, Enabled = feed.Spec.Enabled, MatchSubdomains = feed.MatchSubdomains });
            await db.SaveChangesAsync(cancellationToken);
            return;
        }
        bool wasListed = listing is { Enabled: true, SetId: not null };
        bool wasBelow = listing.MatchSubdomains;
        bool dropped = listing.Content != content;
        if (dropped)
        {
            // Another content makes the old set meaningless: it goes at once, not with the next pull.
            listing.Content = content;
            listing.SetId = null;
        }
        listing.Enabled = feed.Spec.Enabled;
        listing.MatchSubdomains = feed.MatchSubdomains;
        await db.SaveChangesAsync(cancellationToken);

        bool isListed = listing is { Enabled: true, SetId: not null };
        if (isListed && (!wasListed || (listing.MatchSubdomains && !wasBelow)))
        {
            long count = await db.StoredSets.Where(s => s.Id == listing.SetId).Select(s => s.Count).FirstAsync(cancellationToken);
            await RecordAsync(db, listing, wasListed ? ListingReason.Matching : ListingReason.Enabled, listing.SetId, count, cancellationToken);
        }
        else if (wasListed && (!isListed || wasBelow != listing.MatchSubdomains))
        {
            ListingReason reason = dropped ? ListingReason.Content : isListed ? ListingReason.Matching : ListingReason.Disabled;
            await RecordAsync(db, listing, reason, null, 0, cancellationToken);
        }
    }

    /// <summary>Removes what a deleted feed listed. What was pushed for it goes with the row.</summary>
    public async Task RemoveAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken)
    {
        ListingRow? listing = await LockedAsync(db, feed, cancellationToken);
        if (listing is null)
        {
            return;
        }
        db.Listings.Remove(listing);
        await db.SaveChangesAsync(cancellationToken);
        if (listing is { Enabled: true, SetId: not null })
        {
            await RecordAsync(db, listing, ListingReason.Deleted, null, 0, cancellationToken);
        }
    }

    /// <summary>The listing as it is, and stays until the transaction ends: what changes here follows from whether a set is listed, and one may land at any moment.</summary>
    private static async Task<ListingRow?> LockedAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken)
    {
        if (db.LocksRows)
        {
            await db.Database.ExecuteSqlAsync($"""SELECT 1 FROM listings WHERE "Feed" = {feed} FOR UPDATE""", cancellationToken);
        }
        return await db.Listings.FirstOrDefaultAsync(l => l.Feed == feed, cancellationToken);
    }

    /// <summary>Makes a generation: the counter's row stays locked until the transaction ends, so generations commit in order.</summary>
    internal async Task RecordAsync(ThreatFeedsContext db, ListingRow listing, ListingReason reason, long? addedSet, long added, CancellationToken cancellationToken)
    {
        long generation = await db.AddAsync(Counters.Generation, 1, cancellationToken);
        db.ListingChanges.Add(new ListingChangeRow
        {
            Generation = generation,
            ListingId = listing.Id,
            Feed = listing.Feed,
            Reason = reason,
            AddedSetId = added == 0 ? null : addedSet,
            Added = added,
            At = time.GetUtcNow().UtcDateTime,
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Forgets changes that every source has passed and whose look-backs are done: nobody will read them again.</summary>
    /// <returns>The number forgotten.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        long? passed = await db.ProgressHere.MinAsync(p => (long?)p.Generation, cancellationToken);
        return passed is null ? 0
            : await db.ListingChanges.Where(c => c.Generation <= passed && !db.LookBacks.Any(l => l.Generation == c.Generation)).ExecuteDeleteAsync(cancellationToken);
    }
}
