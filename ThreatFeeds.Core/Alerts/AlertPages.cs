using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>
/// Reads a page of alerts without reading many more than it has, however many there are. A filter that few alerts pass gives these, which are then sorted; where
/// all filters are common the alerts are read in the order asked for until the page is full. Which of the two it is, is tried and not left to the databases:
/// SQLite has no figures of its rows, and would sort half of them.
/// </summary>
internal static class AlertPages
{
    /// <summary>Alerts that are looked up one by one sooner than an order is read through. Where a filter has more, about a page in this share of all alerts is read.</summary>
    internal const int Few = 4_000;

    /// <summary>The rows of the page and one more where there is one.</summary>
    public static async Task<List<AlertRow>> ReadAsync(ThreatFeedsContext db, AlertFilter filter, CancellationToken cancellationToken)
    {
        if (await FewestAsync(db, filter, cancellationToken) is { } ids)
        {
            return ids.Length == 0 ? [] : await Page(Chosen(db, ids), db, filter).ToListAsync(cancellationToken);
        }
        (string sort, bool down) = AlertFilters.Order(filter);
        return sort == "severity" ? await BySeverityAsync(db, filter, cancellationToken)
            : filter.Until is not null && sort == "lastSeen" && down ? await UntilAsync(db, filter, cancellationToken)
            : await InOrder(db, filter).ToListAsync(cancellationToken);
    }

    /// <summary>The alerts of the filter that has the fewest; null when all have many, or the order is that of the filter.</summary>
    internal static async Task<long[]?> FewestAsync(ThreatFeedsContext db, AlertFilter filter, CancellationToken cancellationToken)
    {
        IReadOnlyList<IQueryable<long>> tries = Tries(db, filter);
        if (tries.Count == 1 && AlertFilters.Order(filter).Sort == "lastSeen" && (Leading(filter) is not null || filter.Since is not null))
        {
            return null;
        }
        long[]? fewest = null;
        foreach (IQueryable<long> some in tries)
        {
            long[] ids = await some.Take(Few + 1).ToArrayAsync(cancellationToken);
            if (ids.Length <= Few && ids.Length < (fewest?.Length ?? int.MaxValue))
            {
                fewest = ids;
            }
            if (fewest is [])
            {
                break;
            }
        }
        return fewest;
    }

    /// <summary>The alerts that pass each filter alone; both databases read them from an index.</summary>
    internal static IReadOnlyList<IQueryable<long>> Tries(ThreatFeedsContext db, AlertFilter filter)
    {
        IEnumerable<IQueryable<long>> alone = AlertFilters.Conditions(filter).Select(condition => db.Alerts.Where(condition).Select(a => a.Id));
        return [.. alone, .. AlertFilters.InFeed(db, filter) is { } feeds ? [feeds.Select(f => f.AlertId).Distinct()] : Array.Empty<IQueryable<long>>()];
    }

    /// <summary>Alerts by their ids, and these first: else a database may read all in the order asked for, to see which are among them.</summary>
    internal static IQueryable<AlertRow> Chosen(ThreatFeedsContext db, long[] ids) => db.LocksRows
        ? db.Alerts.FromSql($"""SELECT a.* FROM unnest({ids}) AS k(id) JOIN alerts a ON a."Id" = k.id OFFSET 0""")
        : db.Alerts.FromSql($"""SELECT a.* FROM json_each({JsonSerializer.Serialize(ids)}) k CROSS JOIN alerts a ON a."Id" = k.value""");

    /// <summary>The page, read in its order from an index.</summary>
    internal static IQueryable<AlertRow> InOrder(ThreatFeedsContext db, AlertFilter filter) => Page(By(db, AlertFilters.Order(filter).Sort switch
    {
        "firstSeen" => "FirstSeen_Id",
        "count" => "Count_Id",
        _ => Leading(filter) is { } leading ? leading + "_LastSeen_Id" : "LastSeen_Id",
    }), db, filter);

    /// <summary>One severity after the other, each in the order of time.</summary>
    private static async Task<List<AlertRow>> BySeverityAsync(ThreatFeedsContext db, AlertFilter filter, CancellationToken cancellationToken)
    {
        var rows = new List<AlertRow>();
        foreach (AlertFilter part in AlertFilters.BySeverity(filter))
        {
            rows.AddRange(await ReadAsync(db, part with { Limit = filter.Limit - rows.Count }, cancellationToken));
            if (rows.Count > filter.Limit)
            {
                break;
            }
        }
        return rows;
    }

    private static async Task<List<AlertRow>> UntilAsync(ThreatFeedsContext db, AlertFilter filter, CancellationToken cancellationToken)
    {
        var found = new List<AlertRow>();
        foreach (IQueryable<AlertRow> part in Parts(db, filter))
        {
            found.AddRange(await part.ToListAsync(cancellationToken));
        }
        return [.. found.OrderByDescending(a => a.LastSeen).ThenByDescending(a => a.Id).Take(filter.Limit + 1)];
    }

    /// <summary>
    /// What was seen at or before a time, the newest first, in three parts of which each is a page; no alert is in two. What was last seen before that time comes in its order; what went on at that
    /// time comes before it, and is found apart: the short ones by their beginning, the long ones in an index of their own. Else all that was seen since would be read.
    /// </summary>
    internal static IReadOnlyList<IQueryable<AlertRow>> Parts(ThreatFeedsContext db, AlertFilter filter)
    {
        long to = filter.Until!.Value.ToUnixTimeMilliseconds();
        // What was last seen before was first seen before.
        AlertFilter open = filter with { Until = null };
        string before = Leading(filter) is { } leading ? leading + "_LastSeen_Id" : "LastSeen_Id";
        return
        [
            // By a difference, which no index has in order: a database would read all that was seen since.
            AlertFilters.After(AlertFilters.Apply(By(db, "FirstSeen_Id").Where(a => a.FirstSeen > to - AlertRow.Long && a.FirstSeen <= to && a.LastSeen > to && a.LastSeen - a.FirstSeen <= AlertRow.Long), db, open), filter)
                .OrderByDescending(a => a.LastSeen - to).ThenByDescending(a => a.Id).Take(filter.Limit + 1),
            Page(By(db, "long").Where(a => a.FirstSeen <= to && a.LastSeen > to && a.LastSeen - a.FirstSeen > AlertRow.Long), db, open),
            Page(By(db, before).Where(a => a.LastSeen <= to), db, open),
        ];
    }

    /// <summary>The open alerts, to be counted: from an index of the severities alone.</summary>
    internal static IQueryable<AlertRow> Open(ThreatFeedsContext db) => By(db, "open").Where(a => a.State == AlertState.Open);

    private static IQueryable<AlertRow> Page(IQueryable<AlertRow> alerts, ThreatFeedsContext db, AlertFilter filter) =>
        AlertFilters.Sorted(AlertFilters.Apply(alerts.AsNoTracking(), db, filter), filter).Take(filter.Limit + 1);

    /// <summary>A filter of one value by which, and then by the time, there is an index; the narrowest first.</summary>
    private static string? Leading(AlertFilter filter) =>
        One(filter.Indicator) ? nameof(AlertRow.Indicator) : One(filter.Workload) ? nameof(AlertRow.Workload) : One(filter.Namespace) ? nameof(AlertRow.Namespace)
        : One(filter.State) ? nameof(AlertRow.State) : One(filter.Severity) ? nameof(AlertRow.Severity) : One(filter.Kind) ? nameof(AlertRow.Kind) : null;

    private static bool One(string? values) => !string.IsNullOrWhiteSpace(values) && !values.Contains(',', StringComparison.Ordinal);

    /// <summary>All alerts, by an index where the database has to be told.</summary>
    /// <param name="index">The end of its name; a word of ours.</param>
#pragma warning disable EF1002 // Not a value.
    private static IQueryable<AlertRow> By(ThreatFeedsContext db, string index) =>
        db.LocksRows ? db.Alerts : db.Alerts.FromSqlRaw($"SELECT * FROM alerts INDEXED BY \"IX_alerts_{index}\"");
#pragma warning restore EF1002
}
