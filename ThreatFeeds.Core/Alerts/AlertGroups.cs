using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>
/// The alerts that hits may join. A hit joins the alert of its key whose time, widened by the grouping hours, holds its event time,
/// the nearest first; else it opens one. Alerts never merge, and what a user set stays.
/// </summary>
internal sealed class AlertGroups
{
    private readonly string _cluster;
    private readonly long _reach;
    private readonly Dictionary<AlertKey, List<AlertRow>> _byKey = [];
    /// <summary>Alerts with hits of this write, and of each the newest hit where that is the newest of the alert.</summary>
    private readonly Dictionary<AlertRow, FoundHit?> _joined = [];
    private readonly Dictionary<AlertRow, AlertNews> _news = [];

    private AlertGroups(AlertOptions options)
    {
        _cluster = StorableText.Of(options.Cluster, StorableHit.Cluster);
        _reach = (long)TimeSpan.FromHours(options.GroupingHours).TotalMilliseconds;
    }

    public static async Task<AlertGroups> LoadAsync(ThreatFeedsContext db, AlertOptions options, IReadOnlyList<FoundHit> hits, CancellationToken cancellationToken)
    {
        var groups = new AlertGroups(options);
        long from = hits.Min(h => h.Time).ToUnixTimeMilliseconds() - groups._reach;
        long to = hits.Max(h => h.Time).ToUnixTimeMilliseconds() + groups._reach;
        // By the whole key: an indicator that is met everywhere has an alert of each workload.
        foreach (AlertKey[] keys in hits.Select(h => h.Key()).Distinct().Chunk(1000))
        {
            foreach (AlertRow row in await Of(db, groups._cluster, keys, from, to).AsNoTracking().ToListAsync(cancellationToken))
            {
                groups.Of(new AlertKey(row.Kind, row.Indicator, row.Namespace, row.Workload, row.Direction, row.Action)).Add(row);
            }
        }
        return groups;
    }

    /// <summary>Both databases find the alerts of each key by the unique index over it; CROSS JOIN has SQLite begin with the keys, + keeps it from an index over the time.</summary>
    internal static IQueryable<AlertRow> Of(ThreatFeedsContext db, string cluster, AlertKey[] keys, long from, long to)
    {
        string[][] words = [.. keys.Select(k => (string[])[Word.Of(k.Kind), k.Indicator, k.Namespace, k.Workload, Word.Of(k.Direction), AlertRows.Action(k.Action)])];
        return db.LocksRows
            ? db.Alerts.FromSql(
                $"""
                SELECT a.* FROM unnest({Column(0)}, {Column(1)}, {Column(2)}, {Column(3)}, {Column(4)}, {Column(5)}) AS k(kind, indicator, namespace, workload, direction, action)
                JOIN alerts a ON a."Cluster" = {cluster} AND a."Kind" = k.kind AND a."Indicator" = k.indicator AND a."Namespace" = k.namespace
                AND a."Workload" = k.workload AND a."Direction" = k.direction AND a."Action" = k.action AND a."LastSeen" >= {from} AND a."FirstSeen" <= {to}
                """)
            : db.Alerts.FromSql(
                $"""
                SELECT a.* FROM json_each({JsonSerializer.Serialize(words)}) k
                CROSS JOIN alerts a ON a."Cluster" = {cluster} AND a."Kind" = k.value ->> 0 AND a."Indicator" = k.value ->> 1 AND a."Namespace" = k.value ->> 2
                AND a."Workload" = k.value ->> 3 AND a."Direction" = k.value ->> 4 AND a."Action" = k.value ->> 5 AND +a."LastSeen" >= {from} AND a."FirstSeen" <= {to}
                """);

        string[] Column(int place) => [.. words.Select(w => w[place])];
    }

    /// <summary>What the hits joined so far made of alerts: which were opened, and which grew worse.</summary>
    public IReadOnlyDictionary<AlertRow, AlertNews> News => _news;

    /// <summary>The hit's alert, opened when there is none, with the hit counted.</summary>
    public AlertRow Join(FoundHit hit, DateTime now)
    {
        AlertKey key = hit.Key();
        long at = hit.Time.ToUnixTimeMilliseconds();
        List<AlertRow> ofKey = Of(key);
        AlertRow? alert = Nearest(ofKey, at);
        if (alert is null)
        {
            alert = new AlertRow
            {
                Cluster = _cluster,
                Kind = key.Kind,
                Indicator = key.Indicator,
                Namespace = key.Namespace,
                Workload = key.Workload,
                Direction = key.Direction,
                Action = key.Action,
                Start = at,
                FirstSeen = at,
                LastSeen = at,
                OpenedAt = now,
            };
            ofKey.Add(alert);
            _news[alert] = AlertNews.Opened;
        }
        alert.Count++;
        if (hit.Severity() > alert.Severity)
        {
            alert.Severity = hit.Severity();
            _news.TryAdd(alert, AlertNews.Raised);
        }
        alert.FirstSeen = Math.Min(alert.FirstSeen, at);
        if (alert.Count == 1 || at >= alert.LastSeen)
        {
            _joined[alert] = hit;
        }
        else
        {
            _joined.TryAdd(alert, null);
        }
        alert.LastSeen = Math.Max(alert.LastSeen, at);
        return alert;
    }

    /// <summary>Writes the alerts that were opened, which gives them their ids, and what the hits changed of others.</summary>
    public Task WriteAsync(ThreatFeedsContext db, CancellationToken cancellationToken)
    {
        foreach ((AlertRow alert, FoundHit? newest) in _joined)
        {
            if (newest is not null)
            {
                Describe(alert, newest);
            }
        }
        return AlertRows.WriteAsync(db, [.. _joined.Keys], cancellationToken);
    }

    /// <summary>The newest hit says what the workload looks like.</summary>
    private static void Describe(AlertRow alert, FoundHit hit)
    {
        Endpoint workload = hit.Workload();
        alert.Aggregated = workload.Aggregated;
        alert.Labels = JsonSerializer.Serialize(workload.Labels);
        alert.Node = hit.Details.Node;
        alert.WorkloadIp = workload.Ip;
        if (alert.Kind == LogKind.Flow)
        {
            Endpoint peer = hit.Peer();
            alert.PeerIp = peer.Ip;
            alert.PeerPort = peer.Port;
            alert.PeerName = peer.Name.Length > 0 ? peer.Name : null;
        }
    }

    /// <summary>The one within reach that is nearest, of two as near the one that began first.</summary>
    private AlertRow? Nearest(List<AlertRow> alerts, long at)
    {
        AlertRow? nearest = null;
        foreach (AlertRow alert in alerts)
        {
            long distance = Distance(alert, at);
            if (distance <= _reach && (nearest is null || (distance, alert.Start).CompareTo((Distance(nearest, at), nearest.Start)) < 0))
            {
                nearest = alert;
            }
        }
        return nearest;
    }

    private static long Distance(AlertRow alert, long at) => at < alert.FirstSeen ? alert.FirstSeen - at : at > alert.LastSeen ? at - alert.LastSeen : 0;

    private List<AlertRow> Of(AlertKey key)
    {
        if (!_byKey.TryGetValue(key, out List<AlertRow>? rows))
        {
            _byKey[key] = rows = [];
        }
        return rows;
    }
}
