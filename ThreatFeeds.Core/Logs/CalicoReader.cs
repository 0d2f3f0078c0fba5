using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>
/// DNS and flow logs as Calico writes them (format <c>calico</c>): one JSON object a line, keys in any order, unknown fields ignored. Of a repeated
/// key the last value counts. A record without a time, or with one that cannot be read, is refused.
/// </summary>
public sealed class CalicoReader : ILogReader
{
    internal const string FormatName = "calico";

    public string Format => FormatName;

    public LineFault Refuse(LogKind kind, ReadOnlySpan<byte> line) => new CalicoRecord(line).Judge(kind);

    public void ReadValues(LogKind kind, ReadOnlySpan<byte> line, IValueSink sink) => new CalicoRecord(line).Give(kind, sink);

    public RecordDetails ReadDetails(LogKind kind, ReadOnlySpan<byte> line) => CalicoDetails.Read(kind, line);
}
