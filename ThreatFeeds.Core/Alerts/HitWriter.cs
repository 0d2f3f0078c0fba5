using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>
/// Turns hits into alerts, once. Works in the caller's transaction, so that hits and the progress that found them commit together.
/// A hit that is known only gains feeds; a new one raises its alert's count by one.
/// </summary>
public sealed class HitWriter(AlertOptions options, TimeProvider time)
{
    /// <summary>How many locks the keys share.</summary>
    internal const int Locks = 64;

    /// <summary>The first of the two numbers of these locks; locks of one number are another room's.</summary>
    internal const int LockSpace = 1_700;

    private static readonly string[] HitColumns = ["Id", "AlertId", "Source", "Segment", "Ordinal", "Time", "Field", "Value", "Indicator", "Feeds"];
    private static readonly string[] FeedHitColumns = ["FeedUid", "Hour", "Count", "LastTime"];
    private static readonly string[] AlertFeedColumns = ["AlertId", "Feed"];
    private static readonly string[] OutboxColumns = ["AlertId", "News", "At"];

    /// <summary>Writes hits; returns those that are new.</summary>
    public async Task<IReadOnlyList<FoundHit>> WriteAsync(ThreatFeedsContext db, IReadOnlyList<FoundHit> hits, CancellationToken cancellationToken)
    {
        if (hits.Count == 0)
        {
            return [];
        }
        await LockAsync(db, hits.Select(h => h.Indicator), cancellationToken);
        List<StoredHit> stored = [.. hits.Select(h => new StoredHit(StorableHit.Of(h), h.Id()))];
        Dictionary<HitId, HitRow> known = await KnownHits.FindAsync(db, stored.Select(h => h.Id), cancellationToken);

        var feeds = await HitFeeds.LoadAsync(db, hits, cancellationToken);
        var feedHits = new FeedTally(feeds);
        var alertFeeds = new HashSet<(long, string)>();
        await UniteAsync(db, stored, known, feeds, feedHits, alertFeeds, cancellationToken);

        var seen = new HashSet<HitId>();
        List<StoredHit> fresh = [.. stored.Where(h => !known.ContainsKey(h.Id) && seen.Add(h.Id)).OrderBy(h => h.Hit.Time)];
        if (fresh.Count > 0)
        {
            await OpenAsync(db, fresh, feeds, feedHits, alertFeeds, cancellationToken);
        }
        await db.InsertManyAsync("alert_feeds", AlertFeedColumns, [.. alertFeeds.Select(a => new object[] { a.Item1, a.Item2 })], "ON CONFLICT DO NOTHING", cancellationToken);
        await db.InsertManyAsync("feed_hits", FeedHitColumns, feedHits.Rows(),
            """
            ON CONFLICT ("FeedUid", "Hour") DO UPDATE SET "Count" = feed_hits."Count" + excluded."Count",
            "LastTime" = CASE WHEN excluded."LastTime" > feed_hits."LastTime" THEN excluded."LastTime" ELSE feed_hits."LastTime" END
            """, cancellationToken);
        return fresh.ConvertAll(f => f.Hit);
    }

    /// <summary>Two searches with hits of one key must not both open an alert. SQLite's writers exclude each other; PostgreSQL locks by key, in order,
    /// with a bounded number of locks: the server has room for a few thousand of all its sessions together.</summary>
    internal static async Task LockAsync(ThreatFeedsContext db, IEnumerable<string> indicators, CancellationToken cancellationToken)
    {
        if (!db.LocksRows)
        {
            return;
        }
        int[] locks = [.. indicators.Distinct().Select(i => SHA256.HashData(Encoding.UTF8.GetBytes(i))[0] % Locks).Distinct().Order()];
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockSpace}, k) FROM unnest({locks}) WITH ORDINALITY AS t(k, n) ORDER BY n", cancellationToken);
    }

    /// <summary>A hit's feeds are the union of all that ever covered it.</summary>
    private static async Task UniteAsync(
        ThreatFeedsContext db, List<StoredHit> hits, Dictionary<HitId, HitRow> known, HitFeeds feeds, FeedTally feedHits, HashSet<(long, string)> alertFeeds, CancellationToken cancellationToken)
    {
        var updates = new List<object[]>();
        foreach ((FoundHit hit, HitId id) in hits)
        {
            if (!known.TryGetValue(id, out HitRow? row))
            {
                continue;
            }
            string united = feeds.Unite(row.Feeds, hit.Feeds, out string[] gained);
            if (gained.Length == 0)
            {
                continue;
            }
            row.Feeds = united;
            updates.Add([row.Feeds, row.Id]);
            foreach (string feed in gained)
            {
                feedHits.Add(feed, row.Time);
                alertFeeds.Add((row.AlertId, feed));
            }
        }
        await db.ExecuteManyAsync("UPDATE hits SET \"Feeds\" = @p0 WHERE \"Id\" = @p1", updates, cancellationToken);
    }

    private async Task OpenAsync(
        ThreatFeedsContext db, List<StoredHit> fresh, HitFeeds feeds, FeedTally feedHits, HashSet<(long, string)> alertFeeds, CancellationToken cancellationToken)
    {
        var groups = await AlertGroups.LoadAsync(db, options, fresh.ConvertAll(f => f.Hit), cancellationToken);
        DateTime now = time.GetUtcNow().UtcDateTime;
        List<AlertRow> alerts = fresh.ConvertAll(f => groups.Join(f.Hit, now));
        await groups.WriteAsync(db, cancellationToken);

        var rows = new List<object[]>(fresh.Count);
        for (int i = 0; i < fresh.Count; i++)
        {
            (FoundHit hit, HitId id) = fresh[i];
            long at = hit.Time.ToUnixTimeMilliseconds();
            rows.Add([id.ToBytes(), alerts[i].Id, hit.Source.Id, hit.Position.Segment, hit.Position.Ordinal, at, Word.Of(hit.Field), hit.Value, hit.Indicator, feeds.Write(hit.Feeds)]);
            foreach (string feed in hit.Feeds)
            {
                feedHits.Add(feed, at);
                alertFeeds.Add((alerts[i].Id, feed));
            }
        }
        // A conflict means that another process wrote the same hit at this moment, under another indicator's lock: HitCommit then writes in parts, and finds it known.
        await db.InsertManyAsync("hits", HitColumns, rows, "", cancellationToken);
        await db.InsertManyAsync("alert_outbox", OutboxColumns, [.. groups.News.Select(n => new object[] { n.Key.Id, Word.Of(n.Value), now })], "", cancellationToken);
        await AlertSamples.KeepAsync(db, fresh, alerts, cancellationToken);
    }
}

/// <summary>A hit with every text fit for its column, and its id.</summary>
internal readonly record struct StoredHit(FoundHit Hit, HitId Id);

/// <summary>Hits by feed and hour, gathered for one write.</summary>
internal sealed class FeedTally(HitFeeds feeds)
{
    private readonly Dictionary<(Guid Feed, long Hour), (long Count, long Last)> _counts = [];

    /// <summary>A feed that is gone counts no more.</summary>
    public void Add(string feed, long milliseconds)
    {
        if (feeds.Uid(feed) is not { } uid)
        {
            return;
        }
        (Guid, long) key = (uid, milliseconds / 3_600_000);
        (long count, long last) = _counts.GetValueOrDefault(key);
        _counts[key] = (count + 1, Math.Max(last, milliseconds));
    }

    public IReadOnlyList<object[]> Rows() => [.. _counts.OrderBy(c => c.Key).Select(c => new object[] { c.Key.Feed, c.Key.Hour, c.Value.Count, c.Value.Last })];
}
