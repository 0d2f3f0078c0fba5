using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Alerts;

/// <summary>Copies the records of the first and last ten hits of an alert, so that they outlive the log store's retention.</summary>
internal static class AlertSamples
{
    /// <summary>At each end.</summary>
    public const int Kept = 10;

    /// <summary>Bytes of records copied at a time: one record with many listed names opens as many alerts. Beyond it hits have no copy, and show their record for as long as the log store keeps it.</summary>
    internal const long MaxBytes = 64 << 20;

    private static readonly string[] Columns = ["AlertId", "HitId", "Time", "Record"];

    public static async Task KeepAsync(ThreatFeedsContext db, List<(FoundHit Hit, byte[] Id)> hits, List<AlertRow> alerts, CancellationToken cancellationToken)
    {
        var inserts = new List<object[]>();
        var gone = new List<object[]>();
        var texts = new Dictionary<(string Source, Position Position), string>();
        long bytes = 0;
        var groups = hits.Zip(alerts).GroupBy(p => p.Second.Id).ToDictionary(g => g.Key, g => g.Select(p => p.First).ToList());
        foreach (KeyValuePair<long, List<(FoundHit Hit, byte[] Id)>>[] part in groups.Chunk(500))
        {
            long[] ids = [.. part.Select(p => p.Key)];
            ILookup<long, (byte[] HitId, long Time)> stored = (await db.AlertSamples.Where(s => ids.Contains(s.AlertId)).Select(s => new { s.AlertId, s.HitId, s.Time }).ToListAsync(cancellationToken))
                .ToLookup(s => s.AlertId, s => (s.HitId, s.Time));
            foreach ((long alert, List<(FoundHit Hit, byte[] Id)> fresh) in part)
            {
                List<(byte[] Id, long Time, FoundHit? Hit)> all =
                [
                    .. stored[alert].Select(s => (s.HitId, s.Time, (FoundHit?)null)),
                    .. fresh.Select(f => (f.Id, f.Hit.Time.ToUnixTimeMilliseconds(), (FoundHit?)f.Hit)),
                ];
                all.Sort((a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : a.Id.AsSpan().SequenceCompareTo(b.Id));
                for (int i = 0; i < all.Count; i++)
                {
                    bool keep = i < Kept || i >= all.Count - Kept;
                    if (keep && all[i].Hit is { } hit)
                    {
                        bytes += hit.Line.Length;
                        if (bytes <= MaxBytes)
                        {
                            inserts.Add([alert, all[i].Id, all[i].Time, Text(hit)]);
                        }
                    }
                    else if (!keep && all[i].Hit is null)
                    {
                        gone.Add([alert, all[i].Id]);
                    }
                }
            }
        }
        await db.ExecuteManyAsync("DELETE FROM alert_samples WHERE \"AlertId\" = @p0 AND \"HitId\" = @p1", gone, cancellationToken);
        await db.InsertManyAsync("alert_samples", Columns, inserts, "", cancellationToken);

        string Text(FoundHit hit)
        {
            (string, Position) record = (hit.Source.Id, hit.Position);
            if (!texts.TryGetValue(record, out string? text))
            {
                texts.Add(record, text = StorableText.OfRecord(hit.Line.Span));
            }
            return text;
        }
    }
}
