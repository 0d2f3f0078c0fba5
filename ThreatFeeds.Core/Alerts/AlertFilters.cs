using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>The alert list's filters, orders and cursors as queries.</summary>
internal static class AlertFilters
{
    private static readonly string[] Sorts = ["lastSeen", "firstSeen", "severity", "count"];

    public static Dictionary<string, string> Problems(AlertFilter filter)
    {
        var problems = new Dictionary<string, string>();
        Check<LogKind>("kind", filter.Kind, "use dns or flow");
        Check<Severity>("severity", filter.Severity, "use critical, high, medium or low, or several with commas");
        Check<AlertState>("state", filter.State, "use open, acknowledged or dismissed, or several with commas");
        if (filter.Sort is { } sort && !Sorts.Contains(sort.TrimStart('-')))
        {
            problems["sort"] = $"'{sort}' is no order; use lastSeen, firstSeen, severity or count, with - before it for descending";
        }
        if (filter.Limit is < 1 or > 500)
        {
            problems["limit"] = "use 1 to 500";
        }
        if (filter.After is not null && Place(filter.After) is null)
        {
            problems["after"] = "use the next value of the page before";
        }
        return problems;

        void Check<T>(string name, string? value, string right)
            where T : struct, Enum
        {
            if (value is not null && Array.Find(value.Split(','), v => !Word.TryParse<T>(v, out _)) is { } wrong)
            {
                problems[name] = $"'{wrong}' is not known; {right}";
            }
        }
    }

    public static IQueryable<AlertRow> Apply(ThreatFeedsContext db, AlertFilter filter)
    {
        IQueryable<AlertRow> alerts = db.Alerts.AsNoTracking();
        if (Words<LogKind>(filter.Kind) is { } kinds)
        {
            alerts = alerts.Where(a => kinds.Contains(a.Kind));
        }
        if (Words<AlertState>(filter.State) is { } states)
        {
            alerts = alerts.Where(a => states.Contains(a.State));
        }
        if (Words<Severity>(filter.Severity) is { } severities)
        {
            alerts = alerts.Where(a => severities.Contains(a.Severity));
        }
        if (Values(filter.Feed, StorableHit.Value) is { } feeds)
        {
            alerts = alerts.Where(a => db.AlertFeeds.Any(f => f.AlertId == a.Id && feeds.Contains(f.Feed)));
        }
        if (Values(filter.Indicator, StorableHit.Indicator) is { } indicators)
        {
            alerts = alerts.Where(a => indicators.Contains(a.Indicator));
        }
        if (Values(filter.Cluster, StorableHit.Cluster) is { } clusters)
        {
            alerts = alerts.Where(a => clusters.Contains(a.Cluster));
        }
        if (Values(filter.Namespace, StorableHit.Namespace) is { } namespaces)
        {
            alerts = alerts.Where(a => namespaces.Contains(a.Namespace));
        }
        if (Values(filter.Workload, StorableHit.Workload) is { } workloads)
        {
            alerts = alerts.Where(a => workloads.Contains(a.Workload));
        }
        if (filter.Since is { } since)
        {
            long from = since.ToUnixTimeMilliseconds();
            alerts = alerts.Where(a => a.LastSeen >= from);
        }
        if (filter.Until is { } until)
        {
            long to = until.ToUnixTimeMilliseconds();
            alerts = alerts.Where(a => a.FirstSeen <= to);
        }
        return alerts;
    }

    /// <summary>In order, from the cursor on. The id breaks ties, so that pages neither repeat nor miss.</summary>
    public static IQueryable<AlertRow> Sorted(IQueryable<AlertRow> alerts, AlertFilter filter)
    {
        (string sort, bool down) = Order(filter);
        if (filter.After is { } after && Place(after) is (long value, long id))
        {
            alerts = (sort, down) switch
            {
                ("firstSeen", true) => alerts.Where(a => a.FirstSeen < value || (a.FirstSeen == value && a.Id < id)),
                ("firstSeen", false) => alerts.Where(a => a.FirstSeen > value || (a.FirstSeen == value && a.Id > id)),
                ("severity", true) => alerts.Where(a => (int)a.Severity < value || ((int)a.Severity == value && a.Id < id)),
                ("severity", false) => alerts.Where(a => (int)a.Severity > value || ((int)a.Severity == value && a.Id > id)),
                ("count", true) => alerts.Where(a => a.Count < value || (a.Count == value && a.Id < id)),
                ("count", false) => alerts.Where(a => a.Count > value || (a.Count == value && a.Id > id)),
                (_, true) => alerts.Where(a => a.LastSeen < value || (a.LastSeen == value && a.Id < id)),
                (_, false) => alerts.Where(a => a.LastSeen > value || (a.LastSeen == value && a.Id > id)),
            };
        }
        return (sort, down) switch
        {
            ("firstSeen", true) => alerts.OrderByDescending(a => a.FirstSeen).ThenByDescending(a => a.Id),
            ("firstSeen", false) => alerts.OrderBy(a => a.FirstSeen).ThenBy(a => a.Id),
            ("severity", true) => alerts.OrderByDescending(a => a.Severity).ThenByDescending(a => a.Id),
            ("severity", false) => alerts.OrderBy(a => a.Severity).ThenBy(a => a.Id),
            ("count", true) => alerts.OrderByDescending(a => a.Count).ThenByDescending(a => a.Id),
            ("count", false) => alerts.OrderBy(a => a.Count).ThenBy(a => a.Id),
            (_, true) => alerts.OrderByDescending(a => a.LastSeen).ThenByDescending(a => a.Id),
            (_, false) => alerts.OrderBy(a => a.LastSeen).ThenBy(a => a.Id),
        };
    }

    public static string Cursor(AlertRow last, AlertFilter filter)
    {
        long value = Order(filter).Sort switch { "firstSeen" => last.FirstSeen, "severity" => (int)last.Severity, "count" => last.Count, _ => last.LastSeen };
        return string.Create(CultureInfo.InvariantCulture, $"{value}_{last.Id}");
    }

    private static (string Sort, bool Down) Order(AlertFilter filter) =>
        filter.Sort is null ? ("lastSeen", true) : (filter.Sort.TrimStart('-'), filter.Sort.StartsWith('-'));

    private static (long Value, long Id)? Place(string cursor) =>
        cursor.Split('_') is [string value, string id]
        && long.TryParse(value, CultureInfo.InvariantCulture, out long v) && long.TryParse(id, CultureInfo.InvariantCulture, out long i) ? (v, i) : null;

    private static T[]? Words<T>(string? text)
        where T : struct, Enum => Values(text) is { } words ? [.. words.Select(Word.Parse<T>)] : null;

    /// <summary>As rows hold them, so that what a record really said finds its alert.</summary>
    private static string[]? Values(string? text, int bytes) => Values(text) is { } values ? [.. values.Select(v => StorableText.Of(v, bytes))] : null;

    private static string[]? Values(string? text) => string.IsNullOrEmpty(text) ? null : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
