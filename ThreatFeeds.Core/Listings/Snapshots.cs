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

/// <summary>What can be read of what is listed, for those who ask; searching must not pass over a feed.</summary>
/// <param name="Damaged">Enabled feeds that are not in it.</param>
public sealed record ReadableSnapshot(Snapshot Snapshot, IReadOnlyList<DamagedFeed> Damaged);

/// <summary>Holds the newest snapshot built; swapped by reference, so that searching takes no lock.</summary>
public sealed class Snapshots(IContextFactory contexts, StoredSets files) : IDisposable
{
    private readonly SemaphoreSlim _building = new(1, 1);
    private Snapshot _current = Snapshot.Empty;
    private ReadableSnapshot? _partial;
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
        ReadableSnapshot newest = await ReadableAsync(cancellationToken);
        return newest.Damaged.Count == 0 ? newest.Snapshot : throw new DamagedSetException(newest.Damaged[0].Problem);
    }

    /// <summary>The same without the feeds whose sets cannot be read.</summary>
    public async Task<ReadableSnapshot> ReadableAsync(CancellationToken cancellationToken)
    {
        await _building.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                long generation = await NewestGenerationAsync(cancellationToken);
                if (generation == Current.Generation)
                {
                    return new ReadableSnapshot(Current, []);
                }
                await using ThreatFeedsContext db = contexts.Create();
                List<ListingRow> listings = await db.Listings.AsNoTracking().Where(l => l.Enabled && l.SetId != null).ToListAsync(cancellationToken);
                // Listings and generation change together: the same number before and after means that no change fell between.
                if (await LoadAsync(db, listings, cancellationToken) is var (feeds, damaged) && await NewestGenerationAsync(cancellationToken) == generation)
                {
                    return Keep(generation, feeds, damaged);
                }
            }
        }
        finally
        {
            _building.Release();
        }
    }

    public void Dispose() => _building.Dispose();

    private ReadableSnapshot Keep(long generation, List<IndexedFeed> feeds, List<DamagedFeed> damaged)
    {
        // Sets are read again each time somebody asks, since they may be mended; the index is built anew only for others.
        if (_partial is { } kept && kept.Snapshot.Generation == generation && kept.Damaged.SequenceEqual(damaged))
        {
            return kept;
        }
        var readable = new ReadableSnapshot(new Snapshot(generation, IndicatorIndex.Build(feeds), feeds), damaged);
        _partial = damaged.Count > 0 ? readable : null;
        if (damaged.Count == 0)
        {
            Volatile.Write(ref _current, readable.Snapshot);
        }
        return readable;
    }

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
