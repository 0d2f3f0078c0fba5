using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Matching;

namespace ThreatFeeds.Searching;

/// <summary>A listed value and the record it stands in.</summary>
internal readonly record struct FoundValue(Position Record, ListedValue Value);

/// <summary>The hits of a window.</summary>
/// <param name="Unreadable">Records that hit and cannot be decoded, and those whose values could not all be read.</param>
/// <param name="To">The last record decoded, when there was no room for those behind it: the window ends here. Null when all were.</param>
internal sealed record DecodedHits(IReadOnlyList<FoundHit> Hits, IReadOnlyList<UnwritableRecord> Unreadable, Position? To);

/// <summary>Decodes in full the records that hit, and only those.</summary>
public sealed class RecordDecoder(ILogStore logs, LogReaders readers)
{
    /// <summary>An event time further ahead of its arrival than this is not believed.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    /// <summary>The hits behind the values, in order; a record that is no longer kept gives none.</summary>
    /// <param name="unread">Records whose values could not all be read.</param>
    /// <param name="bytes">Bytes of records held at most, but for one record that is longer by itself.</param>
    internal async Task<DecodedHits> DecodeAsync(
        LogSource source, IReadOnlyList<FoundValue> found, IReadOnlyList<UnreadRecord> unread, long bytes, CancellationToken cancellationToken)
    {
        DecodedHits decoded = await DecodeAsync(source, found, bytes, cancellationToken);
        return unread.Count == 0 ? decoded
            // Those behind where the window ends come again with the next.
            : decoded with { Unreadable = [.. decoded.Unreadable, .. unread.Where(u => decoded.To is null || u.Record <= decoded.To).Select(u => new UnwritableRecord(source, u.Record, u.Reason))] };
    }

    private async Task<DecodedHits> DecodeAsync(LogSource source, IReadOnlyList<FoundValue> found, long bytes, CancellationToken cancellationToken)
    {
        var hits = new List<FoundHit>(found.Count);
        var unreadable = new List<UnwritableRecord>();
        IGrouping<Position, FoundValue>[] records = [.. found.GroupBy(f => f.Record)];
        if (records.Length == 0)
        {
            return new DecodedHits(hits, unreadable, null);
        }
        FoundRecords lines = await logs.FindAsync([.. records.Select(r => new RecordPlace(source.Id, r.Key))], bytes, cancellationToken);
        foreach (IGrouping<Position, FoundValue> record in records.Take(lines.Passed))
        {
            if (lines.Records.TryGetValue(new RecordPlace(source.Id, record.Key), out RawRecord raw))
            {
                Add(source, record, raw, hits, unreadable);
            }
        }
        return new DecodedHits(hits, unreadable, lines.Passed < records.Length ? records[lines.Passed - 1].Key : null);
    }

    private void Add(LogSource source, IGrouping<Position, FoundValue> record, RawRecord raw, List<FoundHit> hits, List<UnwritableRecord> unreadable)
    {
        if (!TryRead(source, raw, out RecordDetails details, out string reason))
        {
            unreadable.Add(new UnwritableRecord(source, record.Key, reason));
            return;
        }
        DateTimeOffset time = details.Time is { } at && at <= raw.ArrivedAt + Ahead ? at : raw.ArrivedAt;
        foreach (FoundValue value in record)
        {
            hits.Add(new FoundHit(source, record.Key, time, value.Value.Field, value.Value.Value, value.Value.Indicator, value.Value.Feeds, details, raw.Line) { ArrivedAt = raw.ArrivedAt });
        }
    }

    /// <summary>Whatever a reader throws at a record it threw at that record: another try will not help, and those behind it must come.</summary>
    private bool TryRead(LogSource source, RawRecord raw, out RecordDetails details, out string reason)
    {
        try
        {
            details = readers.Get(raw.Format).ReadDetails(source.Kind, raw.Line.Span);
            reason = "";
            return true;
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            details = null!;
            reason = $"The {raw.Format} reader cannot decode it ({problem.GetType().Name}).";
            return false;
        }
    }
}
