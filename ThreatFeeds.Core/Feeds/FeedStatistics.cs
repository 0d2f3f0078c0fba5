using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Feeds;

/// <param name="Count">Indicators that both feeds list.</param>
public sealed record FeedOverlap(string Feed, long Count);

/// <summary>The answer of <c>GET /v1/feeds/NAME/statistics</c>.</summary>
/// <param name="Hits24h">Hits with an event time in the last 24 hours.</param>
/// <param name="Unique">Indicators that no other enabled feed lists.</param>
/// <param name="UniqueShare">Of all indicators, 0 to 1; null when there are none.</param>
/// <param name="Overlap">Other enabled feeds with indicators in common, the most first.</param>
/// <param name="NotCompared">Other enabled feeds of its content whose stored set is damaged: unique and overlap say nothing of them.</param>
public sealed record FeedFigures(
    string Feed, long Indicators, DateTimeOffset? SetChangedAt, long Hits, long Hits24h, DateTimeOffset? LastHitAt, IReadOnlyList<long> HitsByHour,
    long Unique, double? UniqueShare, IReadOnlyList<FeedOverlap> Overlap, IReadOnlyList<DamagedFeed> NotCompared);

/// <summary>Figures of one feed, compared with the sets now searched for.</summary>
public sealed class FeedStatistics(FeedOverviews overviews, Snapshots snapshots, ListedSets sets)
{
    /// <summary>Null when there is no such feed.</summary>
    /// <exception cref="DamagedSetException">The feed's own set cannot be read.</exception>
    public async Task<FeedFigures?> GetAsync(string name, CancellationToken cancellationToken)
    {
        if (await overviews.FindAsync(name, cancellationToken) is not { } feed)
        {
            return null;
        }
        Snapshot snapshot = await snapshots.RefreshAsync(cancellationToken);
        // What is searched for is in memory already; the set of a disabled feed is not, and of a damaged one it is said that it is.
        IndicatorSet? held = (await sets.DamagedAsync(cancellationToken)).Contains(name) ? null : snapshot.Feeds.Where(f => f.Feed == name).Select(f => f.Set).FirstOrDefault();
        IndicatorSet set = held ?? await sets.ReadAsync(name, cancellationToken) ?? IndicatorSet.Empty(feed.Feed.Spec.Content);
        var shared = new bool[set.Count];
        var overlap = new List<FeedOverlap>();
        foreach (IndexedFeed other in snapshot.Feeds.Where(f => f.Feed != name && f.Set.Content == set.Content))
        {
            long count = 0;
            for (int i = 0, o = 0; i < set.Count && o < other.Set.Count;)
            {
                int order = set[i].SequenceCompareTo(other.Set[o]);
                if (order == 0)
                {
                    shared[i] = true;
                    count++;
                }
                i += order <= 0 ? 1 : 0;
                o += order >= 0 ? 1 : 0;
            }
            if (count > 0)
            {
                overlap.Add(new FeedOverlap(other.Feed, count));
            }
        }
        long unique = shared.LongCount(s => !s);
        return new FeedFigures(
            name, feed.Indicators, feed.SetChangedAt, feed.Hits, feed.HitsByHour.Sum(), feed.LastHitAt, feed.HitsByHour,
            unique, set.Count == 0 ? null : (double)unique / set.Count, [.. overlap.OrderByDescending(o => o.Count).ThenBy(o => o.Feed, StringComparer.Ordinal)],
            [.. snapshot.Damaged.Where(d => d.Feed != name && d.Content == set.Content)]);
    }
}
