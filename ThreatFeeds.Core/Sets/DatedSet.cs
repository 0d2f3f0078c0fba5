using ThreatFeeds.Indicators;

namespace ThreatFeeds.Sets;

/// <summary>A set with the Unix second each entry has been listed since.</summary>
public sealed record DatedSet(IndicatorSet Set, long[] Since)
{
    /// <summary>What the set is beside the stored set whose chunks it shares; null for one that shares none.</summary>
    public SetDelta? Delta { get; init; }
}

/// <summary>A set as the difference from the stored set whose chunks it shares: that without the removed entries, and with the added ones.</summary>
/// <param name="BaseId">The stored set with the chunks.</param>
/// <param name="BaseCount">Its entries.</param>
/// <param name="Added">Entries that are not in the base, or listed since another time there.</param>
/// <param name="Removed">Entries of the base that are not in the set, or listed since another time.</param>
public sealed record SetDelta(long BaseId, long BaseCount, DatedSet Added, IndicatorSet Removed)
{
    /// <summary>One of so many entries of the base: a delta with more of them is stored as a set of its own.</summary>
    private const int Share = 20;

    /// <summary>Most entries, added and removed, that are stored as a delta.</summary>
    public long Most => BaseCount / Share;

    /// <summary>The delta of the next set; null when that is better stored as a set of its own.</summary>
    /// <param name="added">What the next set adds to this one.</param>
    /// <param name="removed">What it removes; null when that was too much to keep.</param>
    internal SetDelta? Then(DatedSet added, IndicatorSet? removed)
    {
        if (removed is null || added.Set.Count > Most)
        {
            return null;
        }
        var next = new IndicatorSetBuilder(added.Set.Content, long.MaxValue);
        var since = new List<long>();
        for (int o = 0, n = 0; o < Added.Set.Count || n < added.Set.Count;)
        {
            // What is added stood in neither, so that the two share nothing.
            bool older = n == added.Set.Count || (o < Added.Set.Count && Added.Set[o].SequenceCompareTo(added.Set[n]) < 0);
            (DatedSet from, int i) = older ? (Added, o++) : (added, n++);
            if (!older || !removed.Contains(from.Set[i]))
            {
                next.Add(from.Set[i]);
                since.Add(from.Since[i]);
            }
        }
        var gone = new IndicatorSetBuilder(added.Set.Content, long.MaxValue);
        for (int o = 0, n = 0; o < Removed.Count || n < removed.Count;)
        {
            bool older = n == removed.Count || (o < Removed.Count && Removed[o].SequenceCompareTo(removed[n]) < 0);
            ReadOnlySpan<byte> entry = older ? Removed[o++] : removed[n++];
            // What only the delta added, the base does not have.
            if (older || !Added.Set.Contains(entry))
            {
                gone.Add(entry);
            }
        }
        return next.Count + (long)gone.Count > Most ? null : new SetDelta(BaseId, BaseCount, new DatedSet(next.Build(), [.. since]), gone.Build());
    }
}
