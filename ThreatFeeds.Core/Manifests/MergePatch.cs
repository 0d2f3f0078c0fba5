using System.Text.Json.Nodes;

namespace ThreatFeeds.Manifests;

/// <summary>JSON merge patches (RFC 7396).</summary>
public static class MergePatch
{
    /// <summary>The target after the patch; neither argument is changed.</summary>
    public static JsonNode Apply(JsonNode? target, JsonObject patch)
    {
        // Made anew, not taken from: each member taken out would move all behind it.
        var result = new JsonObject();
        foreach ((string name, JsonNode? value) in target as JsonObject ?? [])
        {
            if (!patch.TryGetPropertyValue(name, out JsonNode? change))
            {
                result[name] = value?.DeepClone();
            }
            else if (change is not null)
            {
                result[name] = Changed(value, change);
            }
        }
        foreach ((string name, JsonNode? change) in patch)
        {
            if (change is not null && !result.ContainsKey(name))
            {
                result[name] = Changed(null, change);
            }
        }
        return result;
    }

    private static JsonNode Changed(JsonNode? value, JsonNode change) => change is JsonObject inner ? Apply(value, inner) : change.DeepClone();
}
