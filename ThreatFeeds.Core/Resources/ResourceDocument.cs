using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Resources;

/// <summary>A stored object as Kubernetes writes it.</summary>
public static class ResourceDocument
{
    /// <summary>The whole object: apiVersion, kind, metadata, spec as stored, status when there is one.</summary>
    public static JsonObject ToJson(ResourceRow row)
    {
        ResourceKind kind = ResourceKind.Of(row.Kind);
        var metadata = new JsonObject { ["name"] = row.Name };
        if (kind.Namespaced)
        {
            metadata["namespace"] = row.Namespace;
        }
        metadata["uid"] = row.Uid.ToString();
        metadata["resourceVersion"] = row.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        metadata["generation"] = row.Generation;
        metadata["creationTimestamp"] = Time(DateTime.SpecifyKind(row.CreatedAt, DateTimeKind.Utc));
        AddMap(metadata, "labels", row.Labels);
        AddMap(metadata, "annotations", row.Annotations);
        var document = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Name, ["metadata"] = metadata };
        JsonObject spec = Parse(row.Spec);
        if (kind.HasSpec)
        {
            document["spec"] = spec;
        }
        else
        {
            foreach (KeyValuePair<string, JsonNode?> member in spec)
            {
                document[member.Key] = member.Value?.DeepClone();
            }
        }
        JsonObject status = Parse(row.Status);
        // Kinds without a spec have no status in Kubernetes; what stands there is for this process alone.
        if (status.Count > 0 && kind.HasSpec)
        {
            document["status"] = status;
        }
        return document;
    }

    /// <summary>A time as metadata and status hold it: RFC 3339, UTC, whole seconds.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Labels or annotations of a row.</summary>
    public static IReadOnlyDictionary<string, string> Map(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    /// <summary>Spec or status of a row.</summary>
    public static JsonObject Parse(string json) => JsonNode.Parse(json) as JsonObject ?? [];

    internal static string Text(IReadOnlyDictionary<string, string> map) =>
        JsonSerializer.Serialize(new SortedDictionary<string, string>(map.ToDictionary(), StringComparer.Ordinal));

    private static void AddMap(JsonObject metadata, string name, string json)
    {
        IReadOnlyDictionary<string, string> map = Map(json);
        if (map.Count > 0)
        {
            metadata[name] = new JsonObject(map.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value)));
        }
    }
}
