using System.Text.Json.Nodes;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Manifests;

/// <summary>
/// The original's pages print a manifest flat (kind, name, content, mode... side by side, without apiVersion, metadata and spec).
/// Who copies it is told what is missing and shown the manifest that was meant.
/// </summary>
internal static class FlatManifest
{
    private static readonly string[] SpecMembers = ["content", "mode", "description", "feedType", "globalNetworkSet", "pull"];

    /// <returns>Empty when the document is not flat.</returns>
    public static IReadOnlyList<FeedProblem> Problems(JsonObject document)
    {
        bool flat = document["metadata"] is null && document["spec"] is null
            && (document.ContainsKey("name") || SpecMembers.Any(document.ContainsKey));
        if (!flat)
        {
            return [];
        }
        string shown = "The manifest that was meant:\n" + ManifestYaml.Write(Corrected(document));
        var problems = new List<FeedProblem>();
        if (document["apiVersion"] is null)
        {
            problems.Add(Missing("apiVersion", $"it is {FeedReader.ApiVersion}"));
        }
        if (document["kind"] is null)
        {
            problems.Add(Missing("kind", $"it is {FeedReader.Kind}"));
        }
        problems.Add(Missing("metadata", "name belongs into it"));
        problems.Add(Missing("spec", $"{string.Join(", ", SpecMembers.Where(document.ContainsKey).DefaultIfEmpty("content"))} belong into it"));
        problems[^1] = problems[^1] with { Message = $"{problems[^1].Message}. {shown}" };
        return problems;
    }

    private static FeedProblem Missing(string key, string hint) =>
        new(key, ProblemReasons.Required, $"Required value: {key} is missing: {hint}");

    private static JsonObject Corrected(JsonObject document)
    {
        var metadata = new JsonObject();
        foreach (string member in (string[])["name", "labels", "annotations"])
        {
            if (document[member] is { } value)
            {
                metadata[member] = value.DeepClone();
            }
        }
        if (!metadata.ContainsKey("name"))
        {
            metadata["name"] = "my-threat-feed";
        }
        var spec = new JsonObject();
        foreach (string member in SpecMembers)
        {
            if (document[member] is { } value)
            {
                spec[member] = value.DeepClone();
            }
        }
        return new JsonObject
        {
            ["apiVersion"] = FeedReader.ApiVersion,
            ["kind"] = FeedReader.Kind,
            ["metadata"] = metadata,
            ["spec"] = spec,
        };
    }
}
