using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>One record and one value in it that is listed, as a search found it.</summary>
/// <param name="Time">Event time (the arrival's, when the record claims to be from the future).</param>
/// <param name="Field">The first that holds the value.</param>
/// <param name="Value">Canonical.</param>
/// <param name="Feeds">Sorted, without repeats.</param>
/// <param name="Line">The record as received.</param>
public sealed record FoundHit(
    LogSource Source, Position Position, DateTimeOffset Time, HitField Field, string Value, string Indicator,
    IReadOnlyList<string> Feeds, RecordDetails Details, ReadOnlyMemory<byte> Line)
{
    /// <summary>When the record was acknowledged.</summary>
    public DateTimeOffset ArrivedAt { get; init; }

    /// <summary>The hit's identity: the same record and value give the same id in every search.</summary>
    internal HitId Id() => HitId.Of(Source, Position, Value);
}

/// <summary>What makes hits one finding.</summary>
internal readonly record struct AlertKey(LogKind Kind, string Indicator, string Namespace, string Workload, Direction Direction, FlowAction Action);

/// <summary>Reads a hit as a finding: whose it is, which way, how bad.</summary>
internal static class Finding
{
    public static Direction Direction(this FoundHit hit) => hit.Field == HitField.SourceIp ? Vocabulary.Direction.Inbound : Vocabulary.Direction.Outbound;

    /// <summary>The side that is not listed.</summary>
    public static Endpoint Workload(this FoundHit hit) => hit.Field == HitField.SourceIp ? hit.Details.Destination : hit.Details.Source;

    /// <summary>The listed side of a flow.</summary>
    public static Endpoint Peer(this FoundHit hit) => hit.Field == HitField.SourceIp ? hit.Details.Source : hit.Details.Destination;

    public static AlertKey Key(this FoundHit hit)
    {
        Endpoint workload = hit.Workload();
        // What is no pod and has no other name goes by its address, so that two hosts are two findings.
        string name = workload.Name.Length > 0 ? workload.Name : workload.Ip ?? "";
        return new AlertKey(hit.Source.Kind, hit.Indicator, workload.Namespace, name, hit.Direction(), hit.Source.Kind == LogKind.Dns ? FlowAction.None : hit.Details.Action);
    }

    public static Severity Severity(this FoundHit hit)
    {
        if (hit.Source.Kind == LogKind.Dns)
        {
            return hit.Details.Answered ? Vocabulary.Severity.High : Vocabulary.Severity.Medium;
        }
        bool allowed = hit.Details.Action != FlowAction.Deny;
        return hit.Direction() == Vocabulary.Direction.Outbound
            ? (allowed ? Vocabulary.Severity.Critical : Vocabulary.Severity.Medium)
            : (allowed ? Vocabulary.Severity.Medium : Vocabulary.Severity.Low);
    }

    /// <summary>MITRE ATT&amp;CK techniques: application layer protocol (DNS), exploited public-facing application, active scanning.</summary>
    public static string Mitre(LogKind kind, Direction direction, FlowAction action) => kind == LogKind.Dns ? "T1071.004"
        : direction == Vocabulary.Direction.Outbound ? "T1071"
        : action == FlowAction.Deny ? "T1595" : "T1190";
}
