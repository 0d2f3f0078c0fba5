using ThreatFeeds.Logs;

namespace ThreatFeeds.Alerts;

/// <summary>
/// The one place where what records say becomes what rows hold. Bounds are bytes of UTF-8; those of the unique key of alerts (cluster, indicator, namespace,
/// workload) add up to less than the 2,704 bytes that PostgreSQL allows an index row.
/// </summary>
internal static class StorableHit
{
    public const int Cluster = 256;
    public const int Indicator = 512;
    public const int Namespace = 512;
    public const int Workload = 1024;
    public const int Value = 1024;
    public const int Node = 512;
    public const int Address = 128;

    /// <summary>Labels kept of a workload, the first in order of their names.</summary>
    public const int Labels = 64;
    public const int LabelName = 320;
    public const int LabelValue = 256;

    /// <summary>The hit with every text fit for its column. Its id must be taken before: it is the id of what the record really says.</summary>
    public static FoundHit Of(FoundHit hit) => hit with
    {
        Value = StorableText.Of(hit.Value, Value),
        Indicator = StorableText.Of(hit.Indicator, Indicator),
        Details = hit.Details with { Source = Side(hit.Details.Source), Destination = Side(hit.Details.Destination), Node = StorableText.OrNull(hit.Details.Node, Node) },
    };

    private static Endpoint Side(Endpoint side) => side with
    {
        Namespace = StorableText.Of(side.Namespace, Namespace),
        Name = StorableText.Of(side.Name, Workload),
        Ip = StorableText.OrNull(side.Ip, Address),
        Labels = Few(side.Labels),
    };

    private static IReadOnlyDictionary<string, string> Few(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count <= Labels && labels.All(l => ReferenceEquals(StorableText.Of(l.Key, LabelName), l.Key) && ReferenceEquals(StorableText.Of(l.Value, LabelValue), l.Value)))
        {
            return labels;
        }
        var few = new Dictionary<string, string>(Math.Min(labels.Count, Labels), StringComparer.Ordinal);
        foreach ((string name, string value) in labels.Count > Labels ? labels.OrderBy(l => l.Key, StringComparer.Ordinal).Take(Labels) : labels)
        {
            few[StorableText.Of(name, LabelName)] = StorableText.Of(value, LabelValue);
        }
        return few;
    }
}
