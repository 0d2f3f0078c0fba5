using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Matching;

namespace ThreatFeeds.Searching;

/// <summary>A listed value and the record it stands in.</summary>
internal readonly record struct FoundValue(Position Record, ListedValue Value);

/// <summary>Decodes in full the records that hit, and only those.</summary>
public sealed class RecordDecoder(ILogStore logs, LogReaders readers)
{
    /// <summary>An event time further ahead of its arrival than this is not believed.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    /// <summary>The hits behind the values; a record that is no longer kept gives none.</summary>
    internal async Task<IReadOnlyList<FoundHit>> DecodeAsync(LogSource source, IReadOnlyList<FoundValue> found, CancellationToken cancellationToken)
    {
        if (found.Count == 0)
        {
            return [];
        }
        var hits = new List<FoundHit>(found.Count);
        RecordPlace[] places = [.. found.Select(f => new RecordPlace(source.Id, f.Record)).Distinct()];
        IReadOnlyDictionary<RecordPlace, RawRecord> records = await logs.FindAsync(places, cancellationToken);
        foreach (IGrouping<Position, FoundValue> record in found.GroupBy(f => f.Record))
        {
            if (!records.TryGetValue(new RecordPlace(source.Id, record.Key), out RawRecord raw))
            {
                continue;
            }
            RecordDetails details = readers.Get(raw.Format).ReadDetails(source.Kind, raw.Line.Span);
            DateTimeOffset time = details.Time is { } at && at <= raw.ArrivedAt + Ahead ? at : raw.ArrivedAt;
            byte[] line = raw.Line.ToArray();
            foreach (FoundValue value in record)
            {
                hits.Add(new FoundHit(source, record.Key, time, value.Value.Field, value.Value.Value, value.Value.Indicator, value.Value.Feeds, details, line));
            }
        }
        return hits;
    }
}
