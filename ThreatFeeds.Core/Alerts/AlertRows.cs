using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>Writes alerts as rows: new ones whole, of the others what a search may change and a user may not.</summary>
internal static class AlertRows
{
    private static readonly string[] Fixed = ["Cluster", "Kind", "Indicator", "Namespace", "Workload", "Direction", "Action", "Start", "State", "Note", "OpenedAt"];
    private static readonly string[] Searched =
        ["FirstSeen", "LastSeen", "Count", "Severity", "Aggregated", "Labels", "Node", "WorkloadIp", "PeerIp", "PeerPort", "PeerName"];
    private static readonly string[] Columns = ["Id", .. Searched, .. Fixed];
    private static readonly string Update = $"UPDATE alerts SET {string.Join(", ", Searched.Select((c, i) => $"\"{c}\" = @p{i}"))} WHERE \"Id\" = @p{Searched.Length}";

    /// <summary>Those without an id are new and get one.</summary>
    public static async Task WriteAsync(ThreatFeedsContext db, IReadOnlyList<AlertRow> alerts, CancellationToken cancellationToken)
    {
        List<AlertRow> opened = [.. alerts.Where(a => a.Id == 0)];
        await db.ExecuteManyAsync(Update, [.. alerts.Where(a => a.Id != 0).Select(a => (object[])[.. SearchedOf(a), a.Id])], cancellationToken);
        IReadOnlyList<long> ids = await db.ReserveIdsAsync("alerts", opened.Count, cancellationToken);
        for (int i = 0; i < opened.Count; i++)
        {
            opened[i].Id = ids[i];
        }
        await db.InsertManyAsync("alerts", Columns, [.. opened.Select(a => (object[])[a.Id, .. SearchedOf(a), .. FixedOf(a)])], "", cancellationToken);
    }

    /// <summary>The word that stands in the column; none is empty.</summary>
    public static string Action(FlowAction action) => action == FlowAction.None ? "" : Word.Of(action);

    private static object[] FixedOf(AlertRow alert) =>
    [
        alert.Cluster, Word.Of(alert.Kind), alert.Indicator, alert.Namespace, alert.Workload, Word.Of(alert.Direction), Action(alert.Action), alert.Start,
        Word.Of(alert.State), alert.Note, alert.OpenedAt,
    ];

    private static object[] SearchedOf(AlertRow alert) =>
    [
        alert.FirstSeen, alert.LastSeen, alert.Count, (int)alert.Severity, alert.Aggregated, alert.Labels, OrNull(alert.Node), OrNull(alert.WorkloadIp),
        OrNull(alert.PeerIp), OrNull(alert.PeerPort), OrNull(alert.PeerName),
    ];

    private static object OrNull(object? value) => value ?? DBNull.Value;
}
