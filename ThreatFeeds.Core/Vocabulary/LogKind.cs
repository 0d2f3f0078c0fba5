using System.Text.Json.Serialization;

namespace ThreatFeeds.Vocabulary;

/// <summary>The kinds of records, and so of alerts.</summary>
[JsonConverter(typeof(WordJsonConverter<LogKind>))]
public enum LogKind
{
    Dns,
    Flow,
}

/// <summary>The searched fields of a record, in the order in which the first that holds a value names its hit.</summary>
[JsonConverter(typeof(WordJsonConverter<HitField>))]
public enum HitField
{
    /// <summary>The name asked for.</summary>
    [JsonStringEnumMemberName("qname")]
    QueryName,
    /// <summary>The name of an answered record.</summary>
    [JsonStringEnumMemberName("rr_name")]
    RecordName,
    /// <summary>The data of an answered record, or a name in it.</summary>
    [JsonStringEnumMemberName("rdata")]
    RecordData,
    [JsonStringEnumMemberName("source_ip")]
    SourceIp,
    [JsonStringEnumMemberName("dest_ip")]
    DestinationIp,
}

/// <summary>What became of a flow.</summary>
[JsonConverter(typeof(WordJsonConverter<FlowAction>))]
public enum FlowAction
{
    /// <summary>A DNS record, or a flow that does not say; null in REST, empty in rows.</summary>
    None,
    Allow,
    Deny,
}
