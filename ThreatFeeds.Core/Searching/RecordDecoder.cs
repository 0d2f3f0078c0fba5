using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Matching;

namespace ThreatFeeds.Searching;

/// <summary>A listed value and the record it stands in.</summary>
internal readonly record struct FoundValue(Position Record, ListedValue Value);

/// <summary>The hits of a window.</summary>
/// <param name="Unreadable">Records that hit and cannot be decoded.</param>
/// <param name="To">The last record decoded, when there was no room for those behind it: the window ends here. Null when all were.</param>
internal sealed record DecodedHits(IReadOnlyList<FoundHit> Hits, IReadOnlyList<UnwritableRecord> Unreadable, Position? To);

/// <summary>Decodes in full the records that hit, and only those.</summary>
public sealed class RecordDecoder(ILogStore logs, LogReaders readers)
{
    /// <summary>An event time further ahead of its arrival than this is not believed.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private const int Few = 64;

    /// <summary>The hits behind the values, in order; a record that is no longer kept gives none.</summary>
    /// <param name="bytes">Bytes of records held at most, but for the few that are read together.</param>
    internal async Task<DecodedHits> DecodeAsync(LogSource source, IReadOnlyList<FoundValue> found, long bytes, CancellationToken cancellationToken)
    {
        var hits = new List<FoundHit>(found.Count);
        var unreadable = new List<UnwritableRecord>();
        List<IGrouping<Position, FoundValue>> records = [.. found.GroupBy(f => f.Record)];
        int next = 0;
        long left = bytes;
        while (next < records.Count)
        {
            List<IGrouping<Position, FoundValue>> few = records.GetRange(next, Math.Min(AtOnce(next, bytes - left, left), records.Count - next));
            IReadOnlyDictionary<RecordPlace, RawRecord> lines = await logs.FindAsync([.. few.Select(r => new RecordPlace(source.Id, r.Key))], cancellationToken);
            foreach (IGrouping<Position, FoundValue> record in few)
            {
                if (left <= 0)
                {
                    return new DecodedHits(hits, unreadable, records[next - 1].Key);
                }
                next++;
                if (lines.TryGetValue(new RecordPlace(source.Id, record.Key), out RawRecord raw))
                {
                    left -= raw.Line.Length;
                    Decode(source, record, raw, hits, unreadable);
                }
            }
        }
        return new DecodedHits(hits, unreadable, null);
    }

    /// <summary>How many records to read together: a few until their length is known, then as many as there is room for by it. Each read may open a large frame.</summary>
    private static int AtOnce(int read, long length, long left) => read == 0 || length == 0 ? Few : (int)Math.Clamp(left / (length / read + 1), Few, int.MaxValue);

    private void Decode(LogSource source, IGrouping<Position, FoundValue> record, RawRecord raw, List<FoundHit> hits, List<UnwritableRecord> unreadable)
    {
        if (!TryRead(source, raw, out RecordDetails details, out string reason))
        {
            unreadable.Add(new UnwritableRecord(source, record.Key, reason));
            return;
        }
        DateTimeOffset time = details.Time is { } at && at <= raw.ArrivedAt + Ahead ? at : raw.ArrivedAt;
        byte[] line = raw.Line.ToArray();
        foreach (FoundValue value in record)
        {
            hits.Add(new FoundHit(source, record.Key, time, value.Value.Field, value.Value.Value, value.Value.Indicator, value.Value.Feeds, details, line));
        }
    }

    /// <summary>Whatever a reader throws at a record it threw at that record: another try will not help, and those behind it must come.</summary>
    private bool TryRead(LogSource source, RawRecord raw, out RecordDetails details, out string reason)
    {
        ILogReader reader = readers.Get(raw.Format);
        try
        {
            details = reader.ReadDetails(source.Kind, raw.Line.Span);
            reason = "";
            return true;
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            details = null!;
            reason = $"The {reader.Format} reader cannot decode it ({problem.GetType().Name}).";
            return false;
        }
    }
}
