using System.Text.Json.Serialization;

namespace ThreatFeeds.Vocabulary;

/// <summary>Why a run was made.</summary>
[JsonConverter(typeof(WordJsonConverter<RunTrigger>))]
public enum RunTrigger
{
    /// <summary>The feed's period is over.</summary>
    Schedule,
    /// <summary>The feed was created, enabled, or changed in what is fetched or accepted.</summary>
    Change,
    /// <summary>Somebody asked for it.</summary>
    Manual,
    /// <summary>Somebody sent a set.</summary>
    Push,
}

/// <summary>How a run ended.</summary>
[JsonConverter(typeof(WordJsonConverter<RunOutcome>))]
public enum RunOutcome
{
    Replaced,
    Unchanged,
    /// <summary>A body came and was kept out; the last good set stays.</summary>
    Kept,
    Failed,
}

/// <summary>What of a feed changed what is listed.</summary>
[JsonConverter(typeof(WordJsonConverter<ListingReason>))]
public enum ListingReason
{
    /// <summary>Its set was replaced.</summary>
    Set,
    Enabled,
    Disabled,
    Deleted,
    /// <summary>Names began or ceased to mean all below them.</summary>
    Matching,
    /// <summary>Its content, so that the set went.</summary>
    Content,
}
