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

    /// <param name="hits">New hits in the order of their time.</param>
    /// <param name="alerts">The alert of each.</param>
    public static async Task KeepAsync(ThreatFeedsContext db, List<StoredHit> hits, List<AlertRow> alerts, CancellationToken cancellationToken)
    {
        var inserts = new List<object[]>();
        var gone = new List<object[]>();
        var texts = new Dictionary<(string Source, Position Position), string>();
        long bytes = 0;
        var fresh = new Dictionary<long, List<Sample>>();
        for (int i = 0; i < hits.Count; i++)
        {
            if (!fresh.TryGetValue(alerts[i].Id, out List<Sample>? ofAlert))
            {
                fresh[alerts[i].Id] = ofAlert = [];
            }
            ofAlert.Add(new Sample(hits[i].Id, hits[i].Hit.Time.ToUnixTimeMilliseconds(), hits[i].Hit));
        }
        // An alert without a hit of before has no sample.
        long[] older = [.. alerts.Where(a => a.Count > fresh[a.Id].Count).Select(a => a.Id).Distinct()];
        foreach (long[] part in older.Chunk(500))
        {
            foreach (var kept in await db.AlertSamples.Where(s => part.Contains(s.AlertId)).Select(s => new { s.AlertId, s.HitId, s.Time }).ToListAsync(cancellationToken))
            {
                fresh[kept.AlertId].Add(new Sample(HitId.Read(kept.HitId), kept.Time, null));
            }
        }
        foreach ((long alert, List<Sample> all) in fresh)
        {
            all.Sort((a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : a.Id.Value.CompareTo(b.Id.Value));
            for (int i = 0; i < all.Count; i++)
            {
                bool keep = i < Kept || i >= all.Count - Kept;
                if (keep && all[i].Fresh is { } hit)
                {
                    bytes += hit.Line.Length;
                    if (bytes <= MaxBytes)
                    {
                        inserts.Add([alert, all[i].Id.ToBytes(), all[i].Time, Text(hit)]);
                    }
                }
                else if (!keep && all[i].Fresh is null)
                {
                    gone.Add([alert, all[i].Id.ToBytes()]);
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

    /// <param name="Fresh">Null for one that is stored.</param>
    private readonly record struct Sample(HitId Id, long Time, FoundHit? Fresh);
}
