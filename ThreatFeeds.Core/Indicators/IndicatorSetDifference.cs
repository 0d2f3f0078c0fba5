namespace ThreatFeeds.Indicators;
internal static class IndicatorSetDifference
{
    public static (IndicatorSet Added, long Removed) Compare(IndicatorSet before, IndicatorSet after) => throw new NotImplementedException();
}
