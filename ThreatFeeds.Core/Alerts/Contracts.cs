using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>The workload of an alert.</summary>
/// <param name="Aggregated">The record gave only the aggregated name.</param>
public sealed record AlertWorkload(string Namespace, string Name, bool Aggregated, IReadOnlyDictionary<string, string> Labels, string? Node, string? Ip);

/// <summary>The other side.</summary>
public sealed record AlertPeer(string? Ip, int? Port, string? Name);

/// <summary>An alert as REST shows it.</summary>
/// <param name="Action">Null for DNS, and for a flow that does not say.</param>
public sealed record AlertView(
    string Id, AlertState State, Severity Severity, string Description, LogKind Kind, string Cluster, string Indicator,
    IReadOnlyList<string> Feeds, Direction Direction, FlowAction? Action, AlertWorkload Workload, AlertPeer? Peer,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count, string Note, IReadOnlyList<string> Mitre);

/// <summary>A hit as REST shows it.</summary>
/// <param name="Record">As received, or as copied; null when no longer kept.</param>
public sealed record HitView(
    string Id, DateTimeOffset Time, HitField Field, string Value, string Indicator, IReadOnlyList<string> Feeds, JsonElement? Record);

/// <summary>Filters of the alert list; null means any. Lists are alternatives.</summary>
/// <param name="Sort">lastSeen (default), firstSeen, severity or count; a leading <c>-</c> for descending; default <c>-lastSeen</c>.</param>
/// <param name="After">Cursor of the page before.</param>
/// <param name="Limit">1 to 500; default 100.</param>
public sealed record AlertFilter(
    string? Kind = null, string? Feed = null, string? Indicator = null, string? Cluster = null, string? Namespace = null,
    string? Workload = null, string? Severity = null, string? State = null, DateTimeOffset? Since = null, DateTimeOffset? Until = null,
    string? Sort = null, string? After = null, int Limit = 100);

/// <summary>A user's change; null leaves as it is.</summary>
public sealed record AlertChange(AlertState? State, string? Note);
