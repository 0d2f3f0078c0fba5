using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Listings;

/// <summary>A feed whose stored set is damaged, and what to do about it.</summary>
public sealed record DamagedFeed(string Feed, ContentKind Content, string Problem);

/// <summary>Finds feeds whose stored set is damaged.</summary>
public static class DamagedQuery
{
    /// <summary>Listings of enabled feeds whose set was found damaged, or is not there.</summary>
    public static IQueryable<ListingRow> DamagedListings(this ThreatFeedsContext db)
    {
        IQueryable<StoredSetRow> readable = db.StoredSets.Where(StoredSets.Readable);
        return db.Listings.Where(l => l.Enabled && l.SetId != null && !readable.Any(s => s.Id == l.SetId));
    }
}

/// <summary>Asks a set by the feed that lists it, so that what is wrong with it is told with the feed's name.</summary>
internal static class NamedSet
{
    /// <summary>The answer; null when the set was replaced and swept away meanwhile.</summary>
    /// <param name="ask">Gives null for a set that is not there.</param>
    /// <exception cref="DamagedSetException">The set is listed, and cannot be read or is not there.</exception>
    public static async Task<T?> AskAsync<T>(ThreatFeedsContext db, string feed, long id, Func<long, Task<T?>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await ask(id) ?? (await db.Listings.AnyAsync(l => l.SetId == id, cancellationToken) ? throw new DamagedSetException("it is gone.") : null);
        }
        catch (DamagedSetException damaged)
        {
            throw damaged.Of(feed);
        }
    }
}
