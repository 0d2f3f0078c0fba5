using System.Globalization;
using ThreatFeeds.Alerts;
using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Web.Shared;

/// <summary>Figures and states as people read them. English, figures grouped by commas, times in UTC.</summary>
internal static class Words
{
    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en-US");

    public static string Number(long value) => value.ToString("N0", English);

    public static string Many(long count, string one, string many) => $"{Number(count)} {(count == 1 ? one : many)}";

    public static string Exact(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Iso(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Ago(DateTimeOffset time, DateTimeOffset now)
    {
        TimeSpan age = now - time;
        return age.TotalSeconds switch
        {
            < 10 => "now",
            < 60 => $"{(int)age.TotalSeconds} s ago",
            < 3600 => $"{(int)age.TotalMinutes} min ago",
            < 48 * 3600 => $"{(int)age.TotalHours} h ago",
            _ => $"{(int)age.TotalDays} d ago",
        };
    }

    public static string Bytes(long bytes) => bytes switch
    {
        < 1000 => $"{bytes} B",
        < 1_000_000 => (bytes / 1000.0).ToString("0.#", English) + " kB",
        _ => (bytes / 1_000_000.0).ToString("0.#", English) + " MB",
    };

    /// <summary>As a manifest writes it: <c>24h</c>, <c>90m</c>.</summary>
    public static string Period(TimeSpan period) => period.Ticks % TimeSpan.TicksPerHour == 0 ? $"{(long)period.TotalHours}h"
        : period.Ticks % TimeSpan.TicksPerMinute == 0 ? $"{(long)period.TotalMinutes}m"
        : string.Create(CultureInfo.InvariantCulture, $"{period.TotalSeconds}s");

    public static string Duration(TimeSpan span) => span.TotalSeconds switch
    {
        < 1 => $"{(int)span.TotalMilliseconds} ms",
        < 60 => span.TotalSeconds.ToString("0.#", English) + " s",
        _ => $"{(int)span.TotalMinutes} min {span.Seconds} s",
    };

    public static string Signed(long value) => value switch { > 0 => "+" + Number(value), < 0 => "\u2212" + Number(-value), _ => "0" };

    public static string Capital(string word) => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..];

    /// <summary>What the workload did: "Asked for · answered", "Connected out · denied".</summary>
    public static string Deed(AlertView alert) => alert.Kind == LogKind.Dns
        ? alert.Severity is Severity.High or Severity.Critical ? "Asked for · answered" : "Asked for · not answered"
        : (alert.Direction == Direction.Inbound ? "Connected in" : "Connected out") + (alert.Action switch
        {
            FlowAction.Allow => " · allowed",
            FlowAction.Deny => " · denied",
            _ => "",
        });

    public static string WorkloadName(AlertWorkload workload) => workload.Name.Length > 0 ? workload.Name : workload.Ip ?? "unknown workload";

    public static string FieldName(HitField field) => field switch
    {
        HitField.QueryName => "query name",
        HitField.RecordName => "name of an answer record",
        HitField.RecordData => "data of an answer",
        HitField.SourceIp => "source address",
        _ => "destination address",
    };

    /// <summary>Class of a pill for the outcome of a run.</summary>
    public static string OutcomeClass(RunOutcome? outcome) => outcome switch
    {
        RunOutcome.Replaced or RunOutcome.Unchanged => "ok",
        RunOutcome.Kept => "warn",
        RunOutcome.Failed => "bad",
        _ => "",
    };

    public static string Source(Feed feed) => feed.Spec.Pull is null ? "Pushed" : "Pulled every " + Period(feed.Spec.Pull.Period);
}
