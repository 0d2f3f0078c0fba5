using System.Globalization;
using ThreatFeeds.Alerts;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Web.Alerts;

/// <summary>The filters of the Alerts page as its URL holds them. Empty means any; a state that is absent means open.</summary>
/// <param name="Since">A span such as <c>24h</c> or <c>7d</c>, or a time (RFC 3339).</param>
/// <param name="Id">The alert shown beside the list.</param>
public sealed record AlertQuery(
    string? State, string? Severity, string? Kind, string? Namespace, string? Workload, string? Feed, string? Indicator, string? Since, string? Id)
{
    public const string Any = "any";

    /// <summary>Filters other than the state that is shown by default.</summary>
    public bool Narrowed => State is not (null or "open") || new[] { Severity, Kind, Namespace, Workload, Feed, Indicator, Since }.Any(v => !string.IsNullOrEmpty(v));

    public string Url()
    {
        (string Name, string? Value)[] parts =
        [
            ("state", State == "open" ? null : State), ("since", Since), ("severity", Severity), ("kind", Kind), ("feed", Feed),
            ("namespace", Namespace), ("workload", Workload), ("indicator", Indicator), ("id", Id),
        ];
        string query = string.Join('&', parts.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
        return query.Length == 0 ? "/alerts" : "/alerts?" + query;
    }

    public AlertFilter Filter(DateTimeOffset now, string? after) => new(
        Kind: Some(Kind), Feed: Some(Feed), Indicator: Some(Indicator), Namespace: Some(Namespace), Workload: Some(Workload), Severity: Some(Severity),
        State: State == Any ? null : Some(State) ?? "open", Since: SinceTime(now), After: after);

    private DateTimeOffset? SinceTime(DateTimeOffset now)
    {
        if (Some(Since) is not { } since)
        {
            return null;
        }
        if (double.TryParse(since[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number is > 0 and < 10_000)
        {
            switch (since[^1])
            {
                case 'm': return now.AddMinutes(-number);
                case 'h': return now.AddHours(-number);
                case 'd': return now.AddDays(-number);
            }
        }
        return DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : null;
    }

    private static string? Some(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
