using System.Text.Json.Nodes;

namespace ThreatFeeds.Manifests;

/// <summary>JSON merge patches (RFC 7396).</summary>
public static class MergePatch
{
    /// <summary>The target after the patch; neither argument is changed.</summary>
    public static JsonNode Apply(JsonNode? target, JsonObject patch)
    {
        JsonObject result = (target as JsonObject)?.DeepClone().AsObject() ?? [];
        foreach ((string name, JsonNode? value) in patch)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = value is JsonObject inner ? Apply(result[name], inner) : value.DeepClone();
            }
        }
        return result;
    }
}
