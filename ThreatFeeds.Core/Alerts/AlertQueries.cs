using System.Globalization;
using System.Text.Json;
using System.Text;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>Reads alerts and the hits behind them.</summary>
public sealed class AlertQueries(IContextFactory contexts, ILogStore logs)
{
    /// <summary>Bytes of records on a page of hits: over eleven thousand usual ones, or eight of the longest. A hit is never left out for them when it is the only one.</summary>
    internal const int MostRecordBytes = 8 << 20;

    /// <summary>Why the filter cannot be used, by the name of its parameter; empty when it can.</summary>
    public static IReadOnlyDictionary<string, string> Problems(AlertFilter filter) => AlertFilters.Problems(filter);

    /// <summary>A page of alerts.</summary>
    public async Task<Page<AlertView>> ListAsync(AlertFilter filter, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        List<AlertRow> rows = await AlertPages.ReadAsync(db, filter, cancellationToken);
        string? next = null;
        if (rows.Count > filter.Limit)
        {
            rows.RemoveAt(filter.Limit);
            next = AlertFilters.Cursor(rows[^1], filter);
        }
        return new Page<AlertView>(await ViewsAsync(db, rows, cancellationToken), next);
    }

    /// <summary>One alert, or null.</summary>
    public async Task<AlertView?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        AlertRow? row = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out long key)
            ? await db.Alerts.AsNoTracking().FirstOrDefaultAsync(a => a.Id == key, cancellationToken) : null;
        return row is null ? null : (await ViewsAsync(db, [row], cancellationToken))[0];
    }

    /// <summary>Open alerts by severity.</summary>
    public async Task<IReadOnlyDictionary<Severity, long>> OpenBySeverityAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var counts = await AlertPages.Open(db).GroupBy(a => a.Severity).Select(g => new { g.Key, Count = g.LongCount() }).ToListAsync(cancellationToken);
        return counts.ToDictionary(c => c.Key, c => c.Count);
    }

    /// <summary>Whether a page of hits gave this cursor.</summary>
    public static bool IsHitCursor(string after) => HitCursor(after) is not null;

    /// <summary>The hits of an alert, newest first; null when there is no such alert. A page ends early when its records have 8 MiB.</summary>
    /// <param name="after">The cursor of the page before.</param>
    public async Task<Page<HitView>?> HitsAsync(string id, string? after, int limit, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out long alert) || !await db.Alerts.AnyAsync(a => a.Id == alert, cancellationToken))
        {
            return null;
        }
        IQueryable<HitRow> hits = db.Hits.AsNoTracking().Where(h => h.AlertId == alert);
        (long at, int skip) = after is null ? (long.MaxValue, 0) : HitCursor(after) ?? throw new ArgumentException("This is no cursor.", nameof(after));
        hits = hits.Where(h => h.Time <= at);
        // Hits of one millisecond have no order of their own; the cursor counts how many of them were shown.
        List<HitRow> rows = await hits.OrderByDescending(h => h.Time).ThenByDescending(h => h.Id).Skip(skip).Take(limit + 1).ToListAsync(cancellationToken);
        List<HitView> views = await HitViewsAsync(db, rows[..Math.Min(limit, rows.Count)], cancellationToken);
        string? next = null;
        if (rows.Count > views.Count)
        {
            rows.RemoveRange(views.Count, rows.Count - views.Count);
            long last = rows[^1].Time;
            long same = rows.Count(h => h.Time == last) + (at == last ? skip : 0);
            next = string.Create(CultureInfo.InvariantCulture, $"{last}_{same}");
        }
        return new Page<HitView>(views, next);
    }

    /// <summary>The time of the last hit shown, and how many of that millisecond were.</summary>
    private static (long At, int Skip)? HitCursor(string after) =>
        after.Split('_') is [string time, string passed] && long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long at)
        && int.TryParse(passed, NumberStyles.None, CultureInfo.InvariantCulture, out int skip) ? (at, skip) : null;

    /// <summary>The newest hits of a value, fewer than the limit when their records have 8 MiB.</summary>
    public async Task<IReadOnlyList<HitView>> LastHitsAsync(string value, int limit, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        string stored = StorableText.Of(value, StorableHit.Value);
        List<HitRow> rows = await db.Hits.AsNoTracking().Where(h => h.Value == stored).OrderByDescending(h => h.Time).Take(limit).ToListAsync(cancellationToken);
        return await HitViewsAsync(db, rows, cancellationToken);
    }

    /// <summary>The first of the hits, as many as have room.</summary>
    private async Task<List<HitView>> HitViewsAsync(ThreatFeedsContext db, List<HitRow> rows, CancellationToken cancellationToken)
    {
        var views = new List<HitView>(rows.Count);
        FoundRecords found = await logs.FindAsync(rows.ConvertAll(Place), MostRecordBytes, cancellationToken);
        long room = MostRecordBytes;
        foreach (HitRow row in rows.Take(found.Passed))
        {
            string? text = found.Records.TryGetValue(Place(row), out RawRecord kept) ? Encoding.UTF8.GetString(kept.Line.Span)
                : await db.AlertSamples.Where(s => s.AlertId == row.AlertId && s.HitId == row.Id).Select(s => s.Record).FirstOrDefaultAsync(cancellationToken);
            // Each hit counts, since those of one record all show it.
            room -= text is null ? 0 : Encoding.UTF8.GetByteCount(text);
            if (room < 0 && views.Count > 0)
            {
                break;
            }
            views.Add(new HitView(Convert.ToHexStringLower(row.Id), DateTimeOffset.FromUnixTimeMilliseconds(row.Time), row.Field, row.Value, row.Indicator, HitFeeds.Names(row.Feeds), Json(text)));
        }
        return views;
    }

    private static RecordPlace Place(HitRow row) => new(row.Source, new Position(row.Segment, row.Ordinal));

    private static JsonElement? Json(string? text)
    {
        if (text is null)
        {
            return null;
        }
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            // Not every log format is JSON; such a line is shown as the text it is.
            return JsonSerializer.SerializeToElement(text);
        }
    }

    private static async Task<List<AlertView>> ViewsAsync(ThreatFeedsContext db, List<AlertRow> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return [];
        }
        long[] ids = [.. rows.Select(r => r.Id)];
        ILookup<long, string> feeds = (await db.AlertFeeds.AsNoTracking().Where(f => ids.Contains(f.AlertId)).ToListAsync(cancellationToken)).ToLookup(f => f.AlertId, f => f.Feed);
        return rows.ConvertAll(r => View(r, [.. feeds[r.Id].Order(StringComparer.Ordinal)]));
    }

    private static AlertView View(AlertRow row, string[] feeds) => new(
        row.Id.ToString(CultureInfo.InvariantCulture), row.State, row.Severity, AlertText.Describe(row, feeds), row.Kind, row.Cluster, row.Indicator,
        feeds, row.Direction, row.Action == FlowAction.None ? null : row.Action,
        new AlertWorkload(row.Namespace, row.Workload, row.Aggregated, JsonSerializer.Deserialize<Dictionary<string, string>>(row.Labels) ?? [], row.Node, row.WorkloadIp),
        row.PeerIp is null && row.PeerPort is null && row.PeerName is null ? null : new AlertPeer(row.PeerIp, row.PeerPort, row.PeerName),
        DateTimeOffset.FromUnixTimeMilliseconds(row.FirstSeen), DateTimeOffset.FromUnixTimeMilliseconds(row.LastSeen), row.Count, row.Note,
        [Finding.Mitre(row.Kind, row.Direction, row.Action)]);
}

/// <summary>Says in one sentence what happened, in the manner of the original's events.</summary>
internal static class AlertText
{
    public static string Describe(AlertRow row, IReadOnlyList<string> feeds)
    {
        string workload = row.Namespace.Length > 0 ? $"{row.Namespace}/{row.Workload}" : row.Workload.Length > 0 ? row.Workload : "An unknown workload";
        string lists = (feeds.Count == 1 ? "feed " : "feeds ") + string.Join(", ", feeds);
        string outcome = row.Action switch { FlowAction.Allow => " (allowed)", FlowAction.Deny => " (denied)", _ => "" };
        return row.Kind == LogKind.Dns ? $"{workload} asked for, or was answered with, {row.Indicator}, listed by {lists}"
            : row.Direction == Direction.Outbound ? $"{workload} connected to {row.PeerIp ?? row.Indicator}{outcome}, listed by {lists}"
            : $"{row.PeerIp ?? row.Indicator} connected to {workload}{outcome}, listed by {lists}";
    }
}
