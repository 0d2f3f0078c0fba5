using System.Text.Json.Serialization;

namespace ThreatFeeds.Vocabulary;

/// <summary>What people have made of an alert.</summary>
[JsonConverter(typeof(WordJsonConverter<AlertState>))]
public enum AlertState
{
    Open,
    Acknowledged,
    Dismissed,
}

/// <summary>How bad a finding is; the numbers are stored and sorted by.</summary>
[JsonConverter(typeof(WordJsonConverter<Severity>))]
public enum Severity
{
    Low = 1,
    Medium = 2,
    High = 3,
    Critical = 4,
}

/// <summary>Who began: the workload, or the listed side.</summary>
[JsonConverter(typeof(WordJsonConverter<Direction>))]
public enum Direction
{
    Outbound,
    Inbound,
}

/// <summary>What happened to an alert that others may want to be told of.</summary>
[JsonConverter(typeof(WordJsonConverter<AlertNews>))]
public enum AlertNews
{
    /// <summary>It is new.</summary>
    Opened,
    /// <summary>Its severity grew.</summary>
    Raised,
}
