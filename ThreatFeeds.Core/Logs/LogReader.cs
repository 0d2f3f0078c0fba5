using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>Receives the searched values of one record, each with its field, in the order qname, rr_name, rdata or source_ip, dest_ip.</summary>
public interface IValueSink
{
    /// <summary>A name as it stands in the record (any case, perhaps with a trailing dot).</summary>
    void Name(HitField field, ReadOnlySpan<byte> name);

    /// <summary>An address as it stands in the record.</summary>
    void Address(HitField field, ReadOnlySpan<byte> address);
}

/// <summary>One reader per log format. Stateless and safe for threads.</summary>
public interface ILogReader
{
    /// <summary>As in <c>?format=</c>, such as <c>calico</c>.</summary>
    string Format { get; }

    /// <summary>Why the line cannot be accepted, for the sender. Called at ingestion; throws for nothing, whatever the line holds.</summary>
    LineFault Refuse(LogKind kind, ReadOnlySpan<byte> line);

    /// <summary>Gives the values to be searched. A line that can no longer be read gives none.</summary>
    void ReadValues(LogKind kind, ReadOnlySpan<byte> line, IValueSink sink);

    /// <summary>Everything an alert needs from a record that hit.</summary>
    RecordDetails ReadDetails(LogKind kind, ReadOnlySpan<byte> line);
}

/// <summary>One side of a record: a pod, or what it is known by.</summary>
/// <param name="Namespace">Empty when unknown (<c>-</c>).</param>
/// <param name="Name">The pod's name, else its aggregated name (<c>name-*</c>), else empty.</param>
/// <param name="Aggregated">The record does not name the pod.</param>
/// <param name="Labels">At most <see cref="MostLabels"/>.</param>
/// <param name="Port">0 to 65535.</param>
public sealed record Endpoint(string Namespace, string Name, bool Aggregated, IReadOnlyDictionary<string, string> Labels, string? Ip, int? Port, string? Type)
{
    /// <summary>Labels read of a side; of more, the first by name.</summary>
    public const int MostLabels = 256;

    public static Endpoint Unknown { get; } = new("", "", false, new Dictionary<string, string>(), null, null, null);
}

/// <summary>A record decoded for an alert.</summary>
/// <param name="Time">Event time (the end of its interval, else the start); null when it has none that can be read.</param>
/// <param name="Source">The client of a DNS query; the source of a flow.</param>
/// <param name="Destination">The destination of a flow; unknown for DNS.</param>
/// <param name="Action">None for DNS.</param>
/// <param name="Answered">DNS: NoError with data.</param>
/// <param name="Node">The node (<c>host</c>) when the record says.</param>
public sealed record RecordDetails(DateTimeOffset? Time, Endpoint Source, Endpoint Destination, FlowAction Action, bool Answered, string? Node);
