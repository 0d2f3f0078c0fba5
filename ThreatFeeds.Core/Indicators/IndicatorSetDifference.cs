namespace ThreatFeeds.Indicators;

/// <summary>What replacing one set by another changes.</summary>
/// <param name="Added">The entries only the new one has.</param>
/// <param name="RemovedCount">How many only the old one has.</param>
/// <param name="Removed">These; null when they are more than were to be kept.</param>
public sealed record IndicatorSetDifference(IndicatorSet Added, long RemovedCount, IndicatorSet? Removed)
{
    /// <summary>Compares by a merge of two sorted lists. Sets of different content share nothing.</summary>
    /// <param name="keep">Removed entries that are kept at most.</param>
    public static IndicatorSetDifference Compare(IndicatorSet before, IndicatorSet after, long keep = 0)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before.Count == 0 || before.Content != after.Content)
        {
            return new IndicatorSetDifference(after, before.Count, before.Count == 0 ? IndicatorSet.Empty(after.Content) : null);
        }
        IndicatorSetBuilder added = new(after.Content, long.MaxValue), removed = new(after.Content, long.MaxValue);
        long gone = 0;
        int b = 0, a = 0;
        while (b < before.Count || a < after.Count)
        {
            int order = b == before.Count ? 1 : a == after.Count ? -1 : before[b].SequenceCompareTo(after[a]);
            if (order > 0)
            {
                added.Add(after[a++]);
                continue;
            }
            if (order < 0 && gone++ < keep)
            {
                removed.Add(before[b]);
            }
            b++;
            a += order == 0 ? 1 : 0;
        }
        return new IndicatorSetDifference(added.Build(), gone, gone <= keep ? removed.Build() : null);
    }
}
