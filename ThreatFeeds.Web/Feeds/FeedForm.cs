using System.Globalization;
using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Web.Feeds;

/// <summary>A header of a pull. One that takes its value from a Secret or ConfigMap is kept as it is.</summary>
public sealed class HeaderRow
{
    public string Name { get; set; } = "";

    public string Value { get; set; } = "";

    /// <summary>The valueFrom member; null for a literal.</summary>
    public JsonObject? From { get; init; }
}

/// <summary>
/// What the form edits. Text as typed: the validator judges it, so a wrong period comes back as a problem at its path. What the form does
/// not show stays in the manifest as it was.
/// </summary>
public sealed class FeedForm
{
    public const string NewlineDelimited = "newlineDelimited";
    public const string Csv = "csv";
    public const string Json = "json";

    private readonly JsonObject _original;

    private FeedForm(JsonObject original) => _original = original;

    public string Name { get; set; } = "";

    public string Description { get; set; } = "";

    public string Content { get; set; } = "IPSet";

    /// <summary>metadata.labels as <c>key=value</c>.</summary>
    public List<string> Labels { get; } = [];

    /// <summary>Null when the feed keeps no network set; IPSet only.</summary>
    public List<string>? NetworkSetLabels { get; set; }

    public bool Pulled { get; set; } = true;

    public string Url { get; set; } = "";

    public string Period { get; set; } = "24h";

    public string Format { get; set; } = NewlineDelimited;

    public string JsonPath { get; set; } = "$.";

    /// <summary>A number is taken for fieldNum (zero-based), anything else for fieldName.</summary>
    public string Column { get; set; } = "0";

    public bool CsvHeader { get; set; }

    public string Delimiter { get; set; } = "";

    public string Comment { get; set; } = "";

    public List<HeaderRow> Headers { get; } = [];

    public bool MatchSubdomains { get; set; }

    public bool UrlsAsHosts { get; set; }

    public static FeedForm New() => new([]);

    public static FeedForm From(JsonObject manifest)
    {
        var form = new FeedForm((JsonObject)manifest.DeepClone());
        JsonObject? metadata = Member(manifest, "metadata");
        JsonObject? spec = Member(manifest, "spec");
        JsonObject? annotations = Member(metadata, "annotations");
        form.Name = Text(metadata, "name") ?? "";
        form.Labels.AddRange(Pairs(Member(metadata, "labels")));
        form.MatchSubdomains = Text(annotations, FeedAnnotations.MatchSubdomains) == "true";
        form.UrlsAsHosts = Text(annotations, FeedAnnotations.Urls) == "host";
        form.Description = Text(spec, "description") ?? "";
        form.Content = Text(spec, "content") ?? "IPSet";
        form.NetworkSetLabels = Member(spec, "globalNetworkSet") is { } set ? [.. Pairs(Member(set, "labels"))] : null;
        JsonObject? pull = Member(spec, "pull");
        form.Pulled = pull is not null;
        form.Period = Text(pull, "period") ?? "24h";
        form.ReadHttp(Member(pull, "http"));
        return form;
    }

    /// <summary>The manifest with what the form holds.</summary>
    public JsonObject ToManifest()
    {
        var manifest = (JsonObject)_original.DeepClone();
        manifest["apiVersion"] ??= "projectcalico.org/v3";
        manifest["kind"] ??= "GlobalThreatFeed";
        JsonObject metadata = Open(manifest, "metadata");
        metadata["name"] = Name.Trim();
        Put(metadata, "labels", Labels.Count == 0 ? null : Map(Labels));
        JsonObject annotations = Open(metadata, "annotations");
        Put(annotations, FeedAnnotations.MatchSubdomains, MatchSubdomains && Content == "DomainNameSet" ? "true" : null);
        Put(annotations, FeedAnnotations.Urls, UrlsAsHosts && Content == "DomainNameSet" ? "host" : null);
        if (annotations.Count == 0)
        {
            metadata.Remove("annotations");
        }

        JsonObject spec = Open(manifest, "spec");
        Put(spec, "description", Description.Trim() is { Length: > 0 } text ? text : null);
        spec["content"] = Content;
        Put(spec, "globalNetworkSet", NetworkSetLabels is null || Content != "IPSet" ? null : new JsonObject { ["labels"] = Map(NetworkSetLabels) });
        if (Pulled)
        {
            WritePull(Open(spec, "pull"));
        }
        else
        {
            spec.Remove("pull");
        }
        return manifest;
    }

    private void ReadHttp(JsonObject? http)
    {
        Url = Text(http, "url") ?? "";
        JsonObject? format = Member(http, "format");
        if (Member(format, Csv) is { } csv)
        {
            Format = Csv;
            Column = Text(csv, "fieldName") is { Length: > 0 } name ? name : Text(csv, "fieldNum") ?? "";
            CsvHeader = Text(csv, "header") == "true";
            Delimiter = Text(csv, "columnDelimiter") ?? "";
            Comment = Text(csv, "commentDelimiter") ?? "";
        }
        else if (Member(format, Json) is { } json)
        {
            Format = Json;
            JsonPath = Text(json, "path") ?? "";
        }
        foreach (JsonObject header in (http?["headers"] as JsonArray)?.OfType<JsonObject>() ?? [])
        {
            Headers.Add(new HeaderRow
            {
                Name = Text(header, "name") ?? "",
                Value = Text(header, "value") ?? "",
                From = Member(header, "valueFrom")?.DeepClone() as JsonObject,
            });
        }
    }

    private void WritePull(JsonObject pull)
    {
        Put(pull, "period", Period.Trim() is { Length: > 0 } period ? period : null);
        JsonObject http = Open(pull, "http");
        http["url"] = Url.Trim();
        JsonObject? oldCsv = Member(Member(http, "format"), Csv);
        http["format"] = Format switch
        {
            Csv => new JsonObject { [Csv] = WriteCsv(oldCsv) },
            Json => new JsonObject { [Json] = new JsonObject { ["path"] = JsonPath } },
            _ => new JsonObject { [NewlineDelimited] = new JsonObject() },
        };
        Put(http, "headers", Headers.Count == 0 ? null : new JsonArray([.. Headers.Select(WriteHeader)]));
    }

    private JsonObject WriteCsv(JsonObject? old)
    {
        var csv = (JsonObject?)old?.DeepClone() ?? [];
        bool byNumber = int.TryParse(Column.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        Put(csv, "fieldNum", byNumber ? number : null);
        Put(csv, "fieldName", byNumber || Column.Trim().Length == 0 ? null : Column.Trim());
        Put(csv, "header", CsvHeader ? true : null);
        Put(csv, "columnDelimiter", Delimiter.Length == 0 ? null : Delimiter == "\\t" ? "\t" : Delimiter);
        Put(csv, "commentDelimiter", Comment.Length == 0 ? null : Comment);
        return csv;
    }

    private static JsonObject WriteHeader(HeaderRow row)
    {
        var header = new JsonObject { ["name"] = row.Name.Trim() };
        if (row.From is null)
        {
            header["value"] = row.Value;
        }
        else
        {
            header["valueFrom"] = row.From.DeepClone();
        }
        return header;
    }

    private static JsonObject? Member(JsonObject? node, string name) => node?[name] as JsonObject;

    private static string? Text(JsonObject? node, string name) => node?[name] is JsonValue value ? value.ToString() : null;

    private static JsonObject Open(JsonObject node, string name)
    {
        if (node[name] is JsonObject there)
        {
            return there;
        }
        var made = new JsonObject();
        node[name] = made;
        return made;
    }

    private static void Put(JsonObject node, string name, JsonNode? value)
    {
        if (value is null)
        {
            node.Remove(name);
        }
        else
        {
            node[name] = value;
        }
    }

    private static IEnumerable<string> Pairs(JsonObject? map) => map?.Select(pair => $"{pair.Key}={pair.Value}") ?? [];

    private static JsonObject Map(List<string> pairs)
    {
        var map = new JsonObject();
        foreach (string pair in pairs)
        {
            int split = pair.IndexOf('=', StringComparison.Ordinal);
            map[split < 0 ? pair : pair[..split]] = split < 0 ? "" : pair[(split + 1)..];
        }
        return map;
    }
}
