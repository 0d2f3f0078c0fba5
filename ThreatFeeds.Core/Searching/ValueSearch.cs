using ThreatFeeds.Indicators;
using ThreatFeeds.Logs;
using ThreatFeeds.Matching;

namespace ThreatFeeds.Searching;

/// <summary>Compares a window of a source's records with an index. One per step; not safe for threads.</summary>
/// <param name="only">Null, or the entries that a look-back is about.</param>
internal sealed class ValueSearch(IndicatorIndex index, IndicatorIndex? only)
{
    private const int ValuesBetweenLooks = 1024;

    private readonly RecordMatcher _matcher = new(index, only);

    public List<FoundValue> Found { get; } = [];

    /// <summary>Records whose values could not all be read.</summary>
    public List<UnreadRecord> Unread { get; } = [];

    public long Records { get; private set; }

    /// <summary>Searches (after, upTo] and stops after the batch that reaches a bound.</summary>
    /// <returns>The position passed.</returns>
    public Task<Position> RunAsync(ILogStore logs, LogSource source, Position after, Position upTo, SearchWindow window, CancellationToken cancellationToken) =>
        logs.ReadValuesAsync(source, after, upTo, Math.Min(window.Records, window.Hits), batch =>
        {
            Compare(batch, cancellationToken);
            return Records < window.Records && Found.Count < window.Hits;
        }, cancellationToken);

    private void Compare(ValueBatch batch, CancellationToken cancellationToken)
    {
        Records += batch.Records;
        Unread.AddRange(batch.Unread);
        Position record = Position.BeforeAll;
        int looked = 0;
        foreach (ref readonly SearchedValue value in batch.Values)
        {
            // One record may have hundreds of thousands.
            if (++looked % ValuesBetweenLooks == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (value.Record != record)
            {
                Keep(record);
                record = value.Record;
            }
            _matcher.Look(value.Field, batch.TextOf(value));
        }
        Keep(record);
    }

    private void Keep(Position record)
    {
        foreach (ListedValue value in _matcher.Found)
        {
            Found.Add(new FoundValue(record, value));
        }
        _matcher.Next();
    }
}

/// <summary>How much a step does at most, but for the batch that reaches a bound.</summary>
/// <param name="Records">Enough to spread the cost of a commit, few enough for an alert to be quick.</param>
/// <param name="Hits">So that a hit storm commits in pieces.</param>
/// <param name="Bytes">Bytes of the records behind the hits that are held at once; the step ends early where they would be more. Default 64 MiB.</param>
internal readonly record struct SearchWindow(int Records, int Hits, long Bytes = 64L << 20);
