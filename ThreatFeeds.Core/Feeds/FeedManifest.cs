using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>A feed as a manifest that can be applied elsewhere: as the user wrote it, without what the server added.</summary>
public static class FeedManifest
{
    /// <summary>Written by <c>kubectl apply</c> for itself; in a download it would be stale.</summary>
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>apiVersion, kind, metadata (name, labels, annotations) and spec without defaults.</summary>
    public static JsonObject ToJson(ResourceRow row) => ToJson(row, whole: false);

    /// <param name="whole">Keep also the annotation that kubectl writes for itself.</param>
    public static JsonObject ToJson(ResourceRow row, bool whole)
    {
        JsonObject stored = ResourceDocument.ToJson(row);
        JsonNode metadata = stored["metadata"]!;
        var kept = new JsonObject { ["name"] = row.Name };
        foreach (string member in (string[])["labels", "annotations"])
        {
            if (metadata[member]?.DeepClone() is JsonObject map)
            {
                if (!whole)
                {
                    map.Remove(LastApplied);
                }
                if (map.Count > 0)
                {
                    kept[member] = map;
                }
            }
        }
        return new JsonObject
        {
            ["apiVersion"] = stored["apiVersion"]!.DeepClone(),
            ["kind"] = stored["kind"]!.DeepClone(),
            ["metadata"] = kept,
            ["spec"] = stored["spec"]!.DeepClone(),
        };
    }

    public static string ToYaml(ResourceRow row) => ManifestYaml.Write(ToJson(row));

    /// <summary>Fills in the original's defaults (content, mode, feedType, and the period of a pull), as its API server answers.</summary>
    public static JsonObject WithDefaults(JsonObject document)
    {
        if (document["spec"] is JsonObject spec)
        {
            spec.TryAdd("content", "IPSet");
            spec.TryAdd("mode", "Enabled");
            spec.TryAdd("feedType", "Custom");
            if (spec["pull"] is JsonObject pull && (pull["period"] is not JsonValue period || period.ToString().Length == 0))
            {
                pull["period"] = FeedBuilder.DefaultPeriodText;
            }
        }
        return document;
    }
}
