using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Resources;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Feeds;

/// <summary>What can be wrong with a feed: a closed set, each cleared by the next success of the same step.</summary>
public enum ConditionType
{
    /// <summary>The body could not be fetched.</summary>
    PullFailed,
    /// <summary>A body was fetched and kept out by the guard; the last good set goes on being searched.</summary>
    SetKept,
    /// <summary>A pushed document was refused.</summary>
    PushRefused,
    /// <summary>A Secret or ConfigMap that a header needs is not there.</summary>
    HeaderSourceMissing,
    GlobalNetworkSetSyncFailed,
    SearchFailed,
    /// <summary>The log store could not be read.</summary>
    StoreFailed,
    /// <summary>One indicator of the feed hits more than 1 % of the records; cleared when it no longer does.</summary>
    HitStorm,
}

/// <summary>One of the status' errorConditions.</summary>
public sealed record FeedCondition(ConditionType Type, string Message);

/// <summary>The status of a feed: a condition stays until the next success of the same step. A change of status never changes the generation of the definition.</summary>
public sealed record FeedStatus(DateTimeOffset? LastSuccessfulSync, DateTimeOffset? LastSuccessfulSearch, IReadOnlyList<FeedCondition> ErrorConditions)
{
    public static readonly FeedStatus Empty = new(null, null, []);

    /// <summary>Reads a stored status; what it does not know is left out.</summary>
    public static FeedStatus Read(JsonObject status)
    {
        var conditions = new List<FeedCondition>();
        foreach (JsonNode? item in status["errorConditions"] as JsonArray ?? [])
        {
            if (Enum.TryParse(Text(item?["type"]), out ConditionType type) && Enum.IsDefined(type))
            {
                conditions.Add(new FeedCondition(type, Text(item?["message"]) ?? ""));
            }
        }
        return new FeedStatus(Time(status["lastSuccessfulSync"]), Time(status["lastSuccessfulSearch"]), conditions);
    }

    /// <summary>With the condition of that type, or its message changed.</summary>
    /// <param name="message">Cut to 2000 characters and made visible.</param>
    public FeedStatus With(ConditionType type, string message)
    {
        var condition = new FeedCondition(type, VisibleText.Of(message, VisibleText.Message));
        return this with { ErrorConditions = [.. ErrorConditions.Where(c => c.Type != type).Append(condition).OrderBy(c => c.Type)] };
    }

    /// <summary>Without conditions whose step went well.</summary>
    public FeedStatus Without(params ConditionType[] types) => this with { ErrorConditions = [.. ErrorConditions.Where(c => !types.Contains(c.Type))] };

    /// <summary>After a set was replaced, found unchanged or pushed: no step of either way to get one has failed since.</summary>
    public FeedStatus Synced(DateTimeOffset at) => Without(ConditionType.PullFailed, ConditionType.SetKept, ConditionType.HeaderSourceMissing, ConditionType.PushRefused) with
    {
        LastSuccessfulSync = Later(LastSuccessfulSync, at),
    };

    /// <summary>After everything that had arrived by then was compared with the feed. A condition of a search stays: it may be another source's.</summary>
    public FeedStatus Searched(DateTimeOffset at) => this with { LastSuccessfulSearch = Later(LastSuccessfulSearch, at) };

    private static DateTimeOffset Later(DateTimeOffset? before, DateTimeOffset at) => before > at ? before.Value : at;

    public JsonObject ToJson()
    {
        var status = new JsonObject();
        if (LastSuccessfulSync is { } sync)
        {
            status["lastSuccessfulSync"] = ResourceDocument.Time(sync);
        }
        if (LastSuccessfulSearch is { } search)
        {
            status["lastSuccessfulSearch"] = ResourceDocument.Time(search);
        }
        if (ErrorConditions.Count > 0)
        {
            status["errorConditions"] = new JsonArray(
                [.. ErrorConditions.Select(c => new JsonObject { ["type"] = c.Type.ToString(), ["message"] = c.Message })]);
        }
        return status;
    }

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private static DateTimeOffset? Time(JsonNode? node) =>
        DateTimeOffset.TryParse(Text(node), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : null;
}
