using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Listings;

/// <summary>All indicators that were effective at a generation: all changes up to it, nothing else.</summary>
/// <param name="Feeds">The sets behind the index.</param>
/// <param name="Damaged">
/// Enabled feeds that are not in it, since their sets cannot be read. Searching goes on without them and misses nothing in the end: what was found damaged
/// stays so, and all of the set that replaces it counts as added, for which the records passed meanwhile are looked back over.
/// </param>
public sealed record Snapshot(long Generation, IndicatorIndex Index, IReadOnlyList<IndexedFeed> Feeds, IReadOnlyList<DamagedFeed> Damaged)
{
    public static Snapshot Empty { get; } = new(0, IndicatorIndex.Build([]), [], []);
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
                await using ThreatFeedsContext db = contexts.Create();
                List<ListingRow> listings = await db.Listings.AsNoTracking().Where(l => l.Enabled && l.SetId != null).ToListAsync(cancellationToken);
                // Listings and generation change together: the same number before and after means that no change fell between.
                if (await LoadAsync(db, listings, cancellationToken) is var (feeds, damaged) && await NewestGenerationAsync(cancellationToken) == generation)
                {
                    var built = new Snapshot(generation, IndicatorIndex.Build(feeds), feeds, damaged);
                    Volatile.Write(ref _current, built);
                    return built;
                }
            }
        }
        finally
        {
            _building.Release();
        }
    }

    public void Dispose() => _building.Dispose();

    /// <summary>Null when a set was replaced and swept away while it was being loaded.</summary>
    private async Task<(List<IndexedFeed> Feeds, List<DamagedFeed> Damaged)?> LoadAsync(ThreatFeedsContext db, List<ListingRow> listings, CancellationToken cancellationToken)
    {
        var sets = new Dictionary<long, IndicatorSet>();
        var feeds = new List<IndexedFeed>();
        var damaged = new List<DamagedFeed>();
        foreach (ListingRow listing in listings)
        {
            long id = listing.SetId!.Value;
            try
            {
                if (!_sets.TryGetValue(id, out IndicatorSet? set))
                {
                    set = (await NamedSet.AskAsync(db, listing.Feed, id, i => files.ReadAsync(i, cancellationToken), cancellationToken))?.Set;
                    if (set is null)
                    {
                        return null;
                    }
                }
                sets[id] = set;
                feeds.Add(new IndexedFeed(listing.Feed, set, listing.MatchSubdomains));
            }
            catch (DamagedSetException problem)
            {
                damaged.Add(new DamagedFeed(listing.Feed, listing.Content, problem.Message));
            }
        }
        _sets = sets;
        return (feeds, damaged);
    }
}
