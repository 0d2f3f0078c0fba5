using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>
/// Collects the records of places. They are met in whatever order is good for the disk; those of the first places are kept, as many as have room. Not safe
/// for threads; one per call.
/// </summary>
internal sealed class Finding(IReadOnlyList<RecordPlace> places, long mostBytes)
{
    private readonly Dictionary<RecordPlace, RawRecord> _records = [];
    // The last place comes out first.
    private readonly PriorityQueue<RecordPlace, int> _held = new();
    private long _bytes;

    /// <summary>Of places from this on nothing is kept any more.</summary>
    public int Passed { get; private set; } = places.Count;

    /// <summary>The places by source, each with where it was named first.</summary>
    public IEnumerable<IGrouping<string, Wanted>> BySource() => places
        .Select((p, i) => (Place: p, Wanted: new Wanted(p.Position, i)))
        .Where(p => p.Place.Position is { Segment: > 0, Ordinal: >= 0 })
        .DistinctBy(p => p.Place)
        .GroupBy(p => p.Place.Source, p => p.Wanted);

    public void Take(in Wanted wanted, in RawRecord record)
    {
        if (wanted.Order >= Passed)
        {
            return;
        }
        RecordPlace place = places[wanted.Order];
        _records[place] = record with { Line = record.Line.ToArray() };
        _held.Enqueue(place, -wanted.Order);
        _bytes += record.Line.Length;
        while (_bytes > mostBytes && _held.TryPeek(out RecordPlace last, out int order) && order < 0)
        {
            _held.Dequeue();
            _records.Remove(last, out RawRecord dropped);
            _bytes -= dropped.Line.Length;
            Passed = -order;
        }
    }

    public FoundRecords Done() => new(_records, Passed);
}

/// <summary>A record that is wanted.</summary>
/// <param name="Order">The place's among those asked for.</param>
internal readonly record struct Wanted(Position Position, int Order);
