using System.Text.Json.Nodes;

namespace ThreatFeeds.Manifests;

/// <summary>
/// The original's pages print a manifest flat (kind, name, content, mode... side by side, without apiVersion, metadata and spec), and a manifest
/// may lose its indentation on the way, so that what belongs below a key stands beside it. Who sends one is told what is missing and shown the
/// manifest that was meant.
/// </summary>
internal static class FlatManifest
{
    private const int LongestShown = 4000;

    private static readonly string[] SpecMembers = ["content", "mode", "description", "feedType", "globalNetworkSet", "pull"];

    // What belongs below a key that was left empty.
    private static readonly Dictionary<string, string[]> Below = new(StringComparer.Ordinal)
    {
        ["pull"] = ["period", "http"],
        ["http"] = ["url", "format", "headers"],
        ["format"] = ["newlineDelimited", "json", "csv"],
        ["json"] = ["path"],
        ["csv"] = ["fieldNum", "fieldName", "header", "columnDelimiter", "commentDelimiter", "recordSize", "disableRecordSizeValidation"],
    };

    /// <returns>Empty when the document is not flat.</returns>
    public static IReadOnlyList<FeedProblem> Problems(JsonObject document)
    {
        bool flat = document["spec"] is null
            && (SpecMembers.Any(document.ContainsKey) || (document["metadata"] is null && document.ContainsKey("name")));
        if (!flat)
        {
            return [];
        }
        string shown = "The manifest that was meant:\n" + ToldText.Cut(ManifestYaml.Write(Corrected(document)), LongestShown);
        var problems = new List<FeedProblem>();
        if (document["apiVersion"] is null)
        {
            problems.Add(Missing("apiVersion", $"it is {FeedReader.ApiVersion}"));
        }
        if (document["kind"] is null)
        {
            problems.Add(Missing("kind", $"it is {FeedReader.Kind}"));
        }
        if (document["metadata"] is null)
        {
            problems.Add(Flat(document, "metadata", "name"));
        }
        problems.Add(Flat(document, "spec", [.. SpecMembers.Where(document.ContainsKey).DefaultIfEmpty("content")]));
        problems[^1] = problems[^1] with { Message = $"{problems[^1].Message}. {shown}" };
        return problems;
    }

    private static FeedProblem Flat(JsonObject document, string key, params string[] members)
    {
        string named = string.Join(", ", members), belong = members.Length == 1 ? "belongs" : "belong";
        return document.ContainsKey(key)
            ? new FeedProblem(key, ProblemReasons.Required,
                $"Required value: {key} is empty: {named} {belong} into it, but the indentation is missing; write each two spaces further right than {key}")
            : Missing(key, $"{named} {belong} into it");
    }

    private static FeedProblem Missing(string key, string hint) =>
        new(key, ProblemReasons.Required, $"Required value: {key} is missing: {hint}");

    private static JsonObject Corrected(JsonObject document)
    {
        JsonObject metadata = document["metadata"] is JsonObject whole ? whole.DeepClone().AsObject() : Gathered(document, ["name", "labels", "annotations"]);
        if (!metadata.ContainsKey("name"))
        {
            metadata["name"] = "my-threat-feed";
        }
        return new JsonObject
        {
            ["apiVersion"] = FeedReader.ApiVersion,
            ["kind"] = FeedReader.Kind,
            ["metadata"] = metadata,
            ["spec"] = Gathered(document, SpecMembers),
        };
    }

    private static JsonObject Gathered(JsonObject document, string[] members)
    {
        var to = new JsonObject();
        foreach (string member in members)
        {
            if (document[member] is { } value)
            {
                to[member] = value.DeepClone();
            }
            else if (document.ContainsKey(member) && Below.TryGetValue(member, out string[]? below))
            {
                to[member] = Gathered(document, below);
            }
        }
        return to;
    }
}
