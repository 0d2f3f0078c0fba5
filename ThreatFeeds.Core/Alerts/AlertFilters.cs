using System.Globalization;
using System.Linq.Expressions;
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
        if (filter.After is not null && !problems.ContainsKey("sort") && Place(filter) is null)
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

    /// <summary>What an alert must be, a condition of each filter; <see cref="InFeed"/> is not among them.</summary>
    public static IReadOnlyList<Expression<Func<AlertRow, bool>>> Conditions(AlertFilter filter)
    {
        var conditions = new List<Expression<Func<AlertRow, bool>>>();
        if (Words<LogKind>(filter.Kind) is { } kinds)
        {
            conditions.Add(a => kinds.Contains(a.Kind));
        }
        if (Words<AlertState>(filter.State) is { } states)
        {
            conditions.Add(a => states.Contains(a.State));
        }
        if (Words<Severity>(filter.Severity) is { } severities)
        {
            conditions.Add(a => severities.Contains(a.Severity));
        }
        if (Values(filter.Indicator, StorableHit.Indicator) is { } indicators)
        {
            conditions.Add(a => indicators.Contains(a.Indicator));
        }
        if (Values(filter.Cluster, StorableHit.Cluster) is { } clusters)
        {
            conditions.Add(a => clusters.Contains(a.Cluster));
        }
        if (Values(filter.Namespace, StorableHit.Namespace) is { } namespaces)
        {
            conditions.Add(a => namespaces.Contains(a.Namespace));
        }
        if (Values(filter.Workload, StorableHit.Workload) is { } workloads)
        {
            conditions.Add(a => workloads.Contains(a.Workload));
        }
        if (filter.Since is { } since)
        {
            long from = since.ToUnixTimeMilliseconds();
            conditions.Add(a => a.LastSeen >= from);
        }
        if (filter.Until is { } until)
        {
            long to = until.ToUnixTimeMilliseconds();
            conditions.Add(a => a.FirstSeen <= to);
        }
        return conditions;
    }

    /// <summary>Alerts and feeds that the filter's feeds hold; null without that filter.</summary>
    public static IQueryable<AlertFeedRow>? InFeed(ThreatFeedsContext db, AlertFilter filter) =>
        Values(filter.Feed, StorableHit.Value) is { } feeds ? db.AlertFeeds.Where(f => feeds.Contains(f.Feed)) : null;

    /// <summary>All filters.</summary>
    public static IQueryable<AlertRow> Apply(IQueryable<AlertRow> alerts, ThreatFeedsContext db, AlertFilter filter)
    {
        alerts = Conditions(filter).Aggregate(alerts, (some, condition) => some.Where(condition));
        return InFeed(db, filter) is { } feeds ? alerts.Where(a => feeds.Any(f => f.AlertId == a.Id)) : alerts;
    }

    /// <summary>In order, from the cursor on. The id breaks ties, so that pages neither repeat nor miss; of one severity those seen last come first, or last.</summary>
    public static IQueryable<AlertRow> Sorted(IQueryable<AlertRow> alerts, AlertFilter filter)
    {
        (string sort, bool down) = Order(filter);
        alerts = After(alerts, filter);
        return (sort, down) switch
        {
            ("firstSeen", true) => alerts.OrderByDescending(a => a.FirstSeen).ThenByDescending(a => a.Id),
            ("firstSeen", false) => alerts.OrderBy(a => a.FirstSeen).ThenBy(a => a.Id),
            ("severity", true) => alerts.OrderByDescending(a => a.Severity).ThenByDescending(a => a.LastSeen).ThenByDescending(a => a.Id),
            ("severity", false) => alerts.OrderBy(a => a.Severity).ThenBy(a => a.LastSeen).ThenBy(a => a.Id),
            ("count", true) => alerts.OrderByDescending(a => a.Count).ThenByDescending(a => a.Id),
            ("count", false) => alerts.OrderBy(a => a.Count).ThenBy(a => a.Id),
            (_, true) => alerts.OrderByDescending(a => a.LastSeen).ThenByDescending(a => a.Id),
            (_, false) => alerts.OrderBy(a => a.LastSeen).ThenBy(a => a.Id),
        };
    }

    /// <summary>Those after the cursor. The first bound is in the others, and tells a database where to begin.</summary>
    public static IQueryable<AlertRow> After(IQueryable<AlertRow> alerts, AlertFilter filter)
    {
        (string sort, bool down) = Order(filter);
        return Place(filter) is not (long value, long seen, long id) ? alerts : (sort, down) switch
        {
            ("firstSeen", true) => alerts.Where(a => a.FirstSeen <= value && (a.FirstSeen < value || a.Id < id)),
            ("firstSeen", false) => alerts.Where(a => a.FirstSeen >= value && (a.FirstSeen > value || a.Id > id)),
            ("severity", true) => alerts.Where(a => (int)a.Severity < value || ((int)a.Severity == value && (a.LastSeen < seen || (a.LastSeen == seen && a.Id < id)))),
            ("severity", false) => alerts.Where(a => (int)a.Severity > value || ((int)a.Severity == value && (a.LastSeen > seen || (a.LastSeen == seen && a.Id > id)))),
            ("count", true) => alerts.Where(a => a.Count <= value && (a.Count < value || a.Id < id)),
            ("count", false) => alerts.Where(a => a.Count >= value && (a.Count > value || a.Id > id)),
            (_, true) => alerts.Where(a => a.LastSeen <= value && (a.LastSeen < value || a.Id < id)),
            (_, false) => alerts.Where(a => a.LastSeen >= value && (a.LastSeen > value || a.Id > id)),
        };
    }

    /// <summary>The filter of each severity that is asked for and not passed yet, in order; each in the order of time.</summary>
    public static IEnumerable<AlertFilter> BySeverity(AlertFilter filter)
    {
        bool down = Order(filter).Down;
        (long Value, long Seen, long Id)? place = Place(filter);
        return from severity in Words<Severity>(filter.Severity)?.Distinct() ?? Enum.GetValues<Severity>()
               let rank = down ? -(int)severity : (int)severity
               let passed = place is { } p ? rank - (down ? -p.Value : p.Value) : 1
               where passed >= 0
               orderby rank
               select filter with
               {
                   Severity = Word.Of(severity),
                   Sort = down ? "-lastSeen" : "lastSeen",
                   After = passed == 0 ? string.Create(CultureInfo.InvariantCulture, $"{place!.Value.Seen}_{place.Value.Id}") : null,
               };
    }

    public static string Cursor(AlertRow last, AlertFilter filter) => Order(filter).Sort switch
    {
        "firstSeen" => string.Create(CultureInfo.InvariantCulture, $"{last.FirstSeen}_{last.Id}"),
        "severity" => string.Create(CultureInfo.InvariantCulture, $"{(int)last.Severity}_{last.LastSeen}_{last.Id}"),
        "count" => string.Create(CultureInfo.InvariantCulture, $"{last.Count}_{last.Id}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{last.LastSeen}_{last.Id}"),
    };

    /// <summary>One of the sorts there are, and whether it goes down.</summary>
    public static (string Sort, bool Down) Order(AlertFilter filter) =>
        filter.Sort is null ? ("lastSeen", true) : (filter.Sort.TrimStart('-'), filter.Sort.StartsWith('-'));

    /// <summary>Where a page ended: what it was sorted by, in the order of severity also the time, and the id. Null when no page gave this cursor.</summary>
    private static (long Value, long Seen, long Id)? Place(AlertFilter filter)
    {
        long?[] numbers = [.. (filter.After ?? "").Split('_').Select(n => long.TryParse(n, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : (long?)null)];
        return (Order(filter).Sort, numbers) switch
        {
            ("severity", [{ } value, { } seen, { } id]) => (value, seen, id),
            (not "severity", [{ } value, { } id]) => (value, 0, id),
            _ => null,
        };
    }

    private static T[]? Words<T>(string? text)
        where T : struct, Enum => Values(text) is { } words ? [.. words.Select(Word.Parse<T>)] : null;

    /// <summary>As rows hold them, so that what a record really said finds its alert.</summary>
    private static string[]? Values(string? text, int bytes) => Values(text) is { } values ? [.. values.Select(v => StorableText.Of(v, bytes))] : null;

    private static string[]? Values(string? text) => string.IsNullOrEmpty(text) ? null : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
