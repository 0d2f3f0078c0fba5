using System.Collections.Concurrent;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;

namespace ThreatFeeds.Searching;

/// <summary>
/// What the look-backs of each source search for. Between the windows of one look-back the index is kept, for each source its own and never changed once
/// there: another source's look-back neither sees nor displaces it. It goes when the source has none left.
/// </summary>
public sealed class LookBackTargets(Snapshots snapshots, AddedEntries added)
{
    private readonly ConcurrentDictionary<string, Entries> _bySource = new(StringComparer.Ordinal);

    /// <summary>Sources whose index is kept.</summary>
    internal int Count => _bySource.Count;

    /// <summary>What is listed now, and an index of what these changes added; null for it when nothing of it is listed any more.</summary>
    internal async Task<(Snapshot Snapshot, IndicatorIndex? Added)> OfAsync(string source, IReadOnlyList<long> generations, CancellationToken cancellationToken)
    {
        Snapshot snapshot = await snapshots.RefreshAsync(cancellationToken);
        // Another snapshot may mean other feeds enabled or other matching, which the index holds too.
        if (_bySource.TryGetValue(source, out Entries? kept) && kept.Snapshot == snapshot.Generation && kept.Generations.SequenceEqual(generations))
        {
            return (snapshot, kept.Index);
        }
        IndicatorIndex? index = await added.LoadAsync(generations, cancellationToken);
        _bySource[source] = new Entries(snapshot.Generation, generations, index);
        return (snapshot, index);
    }

    /// <summary>The source has no look-back left.</summary>
    internal void Drop(string source) => _bySource.TryRemove(source, out _);

    private sealed record Entries(long Snapshot, IReadOnlyList<long> Generations, IndicatorIndex? Index);
}
