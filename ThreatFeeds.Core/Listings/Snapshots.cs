using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Listings;

/// <summary>All indicators that were effective at a generation: all changes up to it, nothing else.</summary>
/// <param name="Feeds">The sets behind the index.</param>
public sealed record Snapshot(long Generation, IndicatorIndex Index, IReadOnlyList<IndexedFeed> Feeds)
{
    public static Snapshot Empty { get; } = new(0, IndicatorIndex.Build([]), []);
}

/// <summary>Holds the newest snapshot built; swapped by reference, so that searching takes no lock.</summary>
public sealed class Snapshots(IContextFactory contexts, StoredSets files) : IDisposable
{
    private readonly SemaphoreSlim _building = new(1, 1);
    private Snapshot _current = Snapshot.Empty;
    private Dictionary<long, IndicatorSet> _sets = [];

    /// <summary>The newest built. It may be older than what is listed by now; it never holds half of a change.</summary>
    public Snapshot Current => Volatile.Read(ref _current);

    /// <summary>The number of the last change to what is listed.</summary>
    public async Task<long> NewestGenerationAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.ReadAsync(Counters.Generation, cancellationToken);
    }

    /// <summary>Builds the snapshot of the newest generation unless it is there already. Callers that come while one is being built share the next.</summary>
    /// <exception cref="DamagedSetException">A set that is listed cannot be read; the message names its feed.</exception>
    public async Task<Snapshot> RefreshAsync(CancellationToken cancellationToken)
    {
        await _building.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                long generation = await NewestGenerationAsync(cancellationToken);
                if (generation == Current.Generation)
                {
                    return Current;
                }
                List<ListingRow> listings;
                await using (ThreatFeedsContext db = contexts.Create())
                {
                    listings = await db.Listings.AsNoTracking().Where(l => l.Enabled && l.SetId != null).ToListAsync(cancellationToken);
                }
                // Listings and generation change together: the same number before and after means that no change fell between.
                if (await LoadAsync(listings, cancellationToken) is { } feeds && await NewestGenerationAsync(cancellationToken) == generation)
                {
                    var snapshot = new Snapshot(generation, IndicatorIndex.Build(feeds), feeds);
                    Volatile.Write(ref _current, snapshot);
                    return snapshot;
                }
            }
        }
        finally
        {
            _building.Release();
        }
    }

    public void Dispose() => _building.Dispose();

    private async Task<IndicatorSet?> ReadAsync(string feed, long id, CancellationToken cancellationToken)
    {
        try
        {
            if (await files.ReadAsync(id, cancellationToken) is { } set)
            {
                return set.Set;
            }
            await using ThreatFeedsContext db = contexts.Create();
            return await db.Listings.AnyAsync(l => l.SetId == id, cancellationToken) ? throw new DamagedSetException("it is gone.") : null;
        }
        catch (DamagedSetException damaged)
        {
            throw damaged.Of(feed);
        }
    }

    /// <summary>Null when a set was replaced and swept away while it was being loaded.</summary>
    private async Task<List<IndexedFeed>?> LoadAsync(List<ListingRow> listings, CancellationToken cancellationToken)
    {
        var sets = new Dictionary<long, IndicatorSet>();
        var feeds = new List<IndexedFeed>();
        foreach (ListingRow listing in listings)
        {
            long id = listing.SetId!.Value;
            if (!_sets.TryGetValue(id, out IndicatorSet? set))
            {
                set = await ReadAsync(listing.Feed, id, cancellationToken);
                if (set is null)
                {
                    return null;
                }
            }
            sets[id] = set;
            feeds.Add(new IndexedFeed(listing.Feed, set, listing.MatchSubdomains));
        }
        _sets = sets;
        return feeds;
    }
}
