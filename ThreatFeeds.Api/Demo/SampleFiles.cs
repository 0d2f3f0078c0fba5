using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Api.Demo;

/// <summary>The samples that are copied beside the executable.</summary>
internal static class SampleFiles
{
    /// <summary>The one sample feed that is pushed.</summary>
    public const string PushedFeed = "incident-response";

    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "samples");

    /// <summary>The sample feeds' manifests, their addresses turned to <paramref name="self"/>.</summary>
    public static IEnumerable<JsonObject> Manifests(Uri self)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Root, "manifests"), "*.yaml").Order(StringComparer.Ordinal))
        {
            JsonObject manifest = ManifestText.ReadYaml(File.ReadAllBytes(file));
            if (manifest["spec"]?["pull"]?["http"] is JsonObject http)
            {
                http["url"] = new Uri(self, new Uri(http["url"]!.GetValue<string>()).AbsolutePath).AbsoluteUri;
            }
            yield return manifest;
        }
    }
}
