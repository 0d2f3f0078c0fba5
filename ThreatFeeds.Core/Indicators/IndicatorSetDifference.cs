namespace ThreatFeeds.Indicators;

/// <summary>What replacing one set by another changes: a merge of two sorted lists.</summary>
public static class IndicatorSetDifference
{
    /// <summary>The entries only <paramref name="after"/> has, and how many only <paramref name="before"/> has. Sets of different content share nothing.</summary>
    public static (IndicatorSet Added, long Removed) Compare(IndicatorSet before, IndicatorSet after)
    {
        if (before.Content != after.Content)
        {
            return (after, before.Count);
        }
        var added = new IndicatorSetBuilder(after.Content, long.MaxValue);
        long removed = 0;
        int b = 0, a = 0;
        while (b < before.Count || a < after.Count)
        {
            int order = b == before.Count ? 1 : a == after.Count ? -1 : before[b].SequenceCompareTo(after[a]);
            if (order > 0)
            {
                added.Add(after[a++]);
                continue;
            }
            b++;
            if (order < 0)
            {
                removed++;
            }
            else
            {
                a++;
            }
        }
        return (added.Build(), removed);
    }
}
