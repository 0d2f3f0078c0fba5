using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Storage;

/// <summary>How far the forward search of a source has come.</summary>
public sealed class ProgressRow
{
    public required string Source { get; set; }
    public LogKind Kind { get; set; }
    public long MarkSegment { get; set; }
    public long MarkOrdinal { get; set; }
    /// <summary>Everything up to the mark has been compared with what is effective at this generation, but for unfinished look-backs.</summary>
    public long Generation { get; set; }
    /// <summary>When a process last had this source, noted now and then. One not seen for long is gone, and is closed.</summary>
    public DateTime SeenAt { get; set; }
}

/// <summary>A source that is gone: what of it was not compared is not, unless it comes back.</summary>
public sealed class GoneSourceRow
{
    public required string Source { get; set; }
    public LogKind Kind { get; set; }
    public DateTime GoneAt { get; set; }
}

/// <summary>A record that hit but could not be written as an alert; searching went past it.</summary>
public sealed class SetAsideRow
{
    public required string Source { get; set; }
    public long Segment { get; set; }
    public long Ordinal { get; set; }
    public required string Reason { get; set; }
    public DateTime At { get; set; }
}

/// <summary>An unfinished look-back: the entries a change added against the records (done, upto] of a source.</summary>
public sealed class LookBackRow
{
    public long Generation { get; set; }
    public required string Source { get; set; }
    public long DoneSegment { get; set; }
    public long DoneOrdinal { get; set; }
    public long UptoSegment { get; set; }
    public long UptoOrdinal { get; set; }
}

/// <summary>One record and one value in it that is listed.</summary>
public sealed class HitRow
{
    /// <summary>16 bytes: the low four of the segment and of the ordinal, then the first eight of SHA-256(source, position, value).</summary>
    public required byte[] Id { get; set; }
    public long AlertId { get; set; }
    public required string Source { get; set; }
    public long Segment { get; set; }
    public long Ordinal { get; set; }
    /// <summary>Event time, Unix milliseconds.</summary>
    public long Time { get; set; }
    public HitField Field { get; set; }
    public required string Value { get; set; }
    public required string Indicator { get; set; }
    /// <summary>Feeds, sorted, joined by commas: of each its name, # and the id of its listing; in rows of earlier versions the name alone.</summary>
    public required string Feeds { get; set; }
}

/// <summary>A copy of the record behind one of the first or last ten hits of an alert; outlives retention.</summary>
public sealed class AlertSampleRow
{
    public long AlertId { get; set; }
    public required byte[] HitId { get; set; }
    public long Time { get; set; }
    public required string Record { get; set; }
}

/// <summary>Hits that are one finding.</summary>
public sealed class AlertRow
{
    /// <summary>Milliseconds from first to last seen above which an alert stands in <see cref="LongIndex"/>: a day. It is part of that index.</summary>
    public const long Long = 86_400_000;

    /// <summary>Index over the severity of open alerts, by which they are counted.</summary>
    public const string OpenIndex = "IX_alerts_open";

    /// <summary>Index over the alerts that went on for more than a day: few, so that those going on at a moment are found.</summary>
    public const string LongIndex = "IX_alerts_long";

    public long Id { get; set; }
    public required string Cluster { get; set; }
    public LogKind Kind { get; set; }
    public required string Indicator { get; set; }
    /// <summary>Namespace of the workload; empty when unknown.</summary>
    public string Namespace { get; set; } = "";
    public string Workload { get; set; } = "";
    public Direction Direction { get; set; }
    public FlowAction Action { get; set; }
    /// <summary>First seen when the alert was opened (Unix ms); part of its key and never changed.</summary>
    public long Start { get; set; }
    public long FirstSeen { get; set; }
    public long LastSeen { get; set; }
    public long Count { get; set; }
    public Severity Severity { get; set; }
    public bool Aggregated { get; set; }
    /// <summary>JSON object of string to string.</summary>
    public string Labels { get; set; } = "{}";
    public string? Node { get; set; }
    public string? WorkloadIp { get; set; }
    public string? PeerIp { get; set; }
    public int? PeerPort { get; set; }
    public string? PeerName { get; set; }
    /// <summary>Written by users only.</summary>
    public AlertState State { get; set; }
    /// <summary>Written by users only.</summary>
    public string Note { get; set; } = "";
    public DateTime OpenedAt { get; set; }
}

/// <summary>An alert that retention deleted, until the last of its hits is.</summary>
public sealed class GoneAlertRow
{
    public long AlertId { get; set; }
}

/// <summary>Which feeds an alert belongs to: the union over its hits.</summary>
public sealed class AlertFeedRow
{
    public long AlertId { get; set; }
    public required string Feed { get; set; }
}

/// <summary>Hits of one feed within one hour of event time.</summary>
public sealed class FeedHitsRow
{
    public Guid FeedUid { get; set; }
    /// <summary>Hours since the Unix epoch.</summary>
    public long Hour { get; set; }
    public long Count { get; set; }
    /// <summary>Latest event time, Unix milliseconds.</summary>
    public long LastTime { get; set; }
}

/// <summary>What happened to an alert, written in the transaction of the hits that made it so; notification reads it. Kept for a bounded time.</summary>
public sealed class AlertOutboxRow
{
    public long Id { get; set; }
    public long AlertId { get; set; }
    public AlertNews News { get; set; }
    public DateTime At { get; set; }
}
