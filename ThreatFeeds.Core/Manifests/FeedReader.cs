using System.Globalization;
using System.Text.Json.Nodes;
using FluentValidation.Results;

namespace ThreatFeeds.Manifests;

/// <summary>What a manifest came to.</summary>
/// <param name="Name">As far as it could be read; empty without one.</param>
/// <param name="Manifest">Null when there are problems.</param>
/// <param name="Problems">In the manifest's order of rules: the first hundred, then one that says how many more there are.</param>
/// <param name="UnknownFields">Paths that were left out, for a warning.</param>
public sealed record FeedReading(string Name, ValidManifest? Manifest, IReadOnlyList<FeedProblem> Problems, Told<string> UnknownFields);

/// <summary>A manifest that keeps every rule.</summary>
/// <param name="Feed">Without identity: Uid is empty and Generation 0 until it is stored.</param>
/// <param name="Spec">What is stored: the spec as written, without defaults and unknown fields.</param>
/// <param name="ResourceVersion">metadata.resourceVersion; null when not given.</param>
/// <param name="Uid">metadata.uid; null when not given, empty when it is none of ours.</param>
public sealed record ValidManifest(Feed Feed, JsonObject Spec, string? ResourceVersion, Guid? Uid);

/// <summary>Reads manifests of feeds. A new one must keep every rule; a stored one, perhaps written under older rules, is read as well as it can be.</summary>
public sealed class FeedReader
{
    public const string ApiVersion = "projectcalico.org/v3";
    public const string Kind = "GlobalThreatFeed";

    /// <summary>Of a name that is told of a manifest that cannot be kept.</summary>
    private const int LongestName = KubernetesNames.MaxSubdomain;

    private readonly FeedValidator _validator;

    /// <param name="jsonPathProblem">Says what is wrong with a JSONPath; null when nothing is.</param>
    public FeedReader(Func<string, string?> jsonPathProblem) => _validator = new FeedValidator(jsonPathProblem);

    /// <summary>Reads a manifest that somebody sends. The document is not changed.</summary>
    public FeedReading Read(JsonObject document)
    {
        if (FlatManifest.Problems(document) is { Count: > 0 } flat)
        {
            return new FeedReading(document["name"] is JsonValue v && v.TryGetValue(out string? n) ? ToldText.Cut(n, LongestName) : "", null, flat, new Told<string>());
        }
        var findings = new ManifestFindings();
        JsonObject copy = document.DeepClone().AsObject();
        FeedDraft draft = ReadDraft(copy, findings);
        HashSet<string> mistyped = [.. findings.Problems.Select(p => p.Path)];
        foreach (ValidationFailure failure in _validator.Validate(draft).Errors)
        {
            string path = ManifestPath(failure.PropertyName);
            if (failure.CustomState is long more)
            {
                findings.Problems.AddMore(more);
            }
            // What has the wrong type reads as missing; once is enough.
            else if (!mistyped.Contains(path))
            {
                findings.Add(new FeedProblem(path, failure.ErrorCode, failure.ErrorMessage));
            }
        }
        if (findings.Problems is { Count: > 0, More: var rest } told)
        {
            FeedProblem[] many = rest == 0 ? [] : [new FeedProblem("", ProblemReasons.TooMany, $"{rest.ToString("N0", CultureInfo.InvariantCulture)} more problems")];
            return new FeedReading(ToldText.Cut(draft.Metadata.Name ?? "", LongestName), null, [.. told, .. many], findings.UnknownFields);
        }
        // A uid that is none of ours never equals one of ours: the write is then a conflict, as it must be.
        Guid? uid = string.IsNullOrEmpty(draft.Metadata.Uid) ? null : Guid.TryParse(draft.Metadata.Uid, out Guid given) ? given : Guid.Empty;
        var manifest = new ValidManifest(FeedBuilder.Build(draft, Guid.Empty, 0), copy["spec"]!.DeepClone().AsObject(), draft.Metadata.ResourceVersion, uid);
        return new FeedReading(draft.Metadata.Name!, manifest, [], findings.UnknownFields);
    }

    /// <summary>Reads an object as it is stored; never fails, whatever an older version let in. The document may be changed.</summary>
    public static Feed ReadStored(JsonObject document, Guid uid, long generation) =>
        FeedBuilder.Build(ReadDraft(document, new ManifestFindings()), uid, generation);

    private static FeedDraft ReadDraft(JsonObject document, ManifestFindings findings)
    {
        var root = new ManifestObject(document, "", findings);
        root.Ignore("status");
        Expect(root, "apiVersion", FeedReader.ApiVersion, findings);
        Expect(root, "kind", FeedReader.Kind, findings);
        MetadataDraft metadata = new(null, new Dictionary<string, string>(), new Dictionary<string, string>(), null, null);
        if (root.Object("metadata") is { } meta)
        {
            meta.Ignore("generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
                "generateName", "namespace", "finalizers", "ownerReferences");
            metadata = new MetadataDraft(meta.Text("name"), meta.Map("labels"), meta.Map("annotations"), meta.Text("resourceVersion"), meta.Text("uid"));
            meta.Prune();
        }
        var draft = new FeedDraft(metadata, root.Object("spec") is { } spec ? ReadSpec(spec, metadata.Name ?? "") : null);
        root.Prune();
        return draft;
    }

    private static void Expect(ManifestObject root, string name, string expected, ManifestFindings findings)
    {
        string? given = root.Text(name);
        if (!root.Has(name))
        {
            findings.Add(new FeedProblem(name, ProblemReasons.Required, $"Required value: {name}: {expected}"));
        }
        else if (given is not null && given != expected)
        {
            findings.Add(new FeedProblem(name, ProblemReasons.NotSupported, $"Unsupported value: \"{given}\": supported values: \"{expected}\""));
        }
    }

    private static SpecDraft ReadSpec(ManifestObject spec, string feed)
    {
        GlobalNetworkSetDraft? networkSet = null;
        if (spec.Object("globalNetworkSet") is { } set)
        {
            networkSet = new GlobalNetworkSetDraft(set.Map("labels"));
            set.Prune();
        }
        PullDraft? pull = null;
        if (spec.Object("pull") is { } p)
        {
            pull = new PullDraft(p.Text("period"), p.Object("http") is { } http ? ReadHttp(http, feed) : null);
            p.Prune();
        }
        var draft = new SpecDraft(spec.Text("content"), spec.Text("mode"), spec.Text("description"), spec.Text("feedType"), networkSet, pull);
        spec.Prune();
        return draft;
    }

    private static HttpDraft ReadHttp(ManifestObject http, string feed)
    {
        FormatDraft? format = null;
        if (http.Object("format") is { } f)
        {
            ManifestObject? lines = f.Object("newlineDelimited");
            lines?.Prune();
            ManifestObject? json = f.Object("json");
            var path = json is null ? null : new JsonDraft(json.Text("path"));
            json?.Prune();
            CsvDraft? csv = f.Object("csv") is { } c ? ReadCsv(c) : null;
            format = new FormatDraft(lines is not null, path, csv);
            f.Prune();
        }
        var headers = new List<HeaderDraft>();
        // One more than there may be is enough to refuse them.
        foreach (ManifestObject header in http.Objects("headers").Take(HttpDraft.MostHeaders + 1))
        {
            ValueFromDraft? from = null;
            if (header.Object("valueFrom") is { } v)
            {
                from = new ValueFromDraft(ReadReference(v, "configMapKeyRef", feed), ReadReference(v, "secretKeyRef", feed));
                v.Prune();
            }
            headers.Add(new HeaderDraft(header.Text("name"), header.Text("value"), from, feed));
            header.Prune();
        }
        var draft = new HttpDraft(http.Text("url"), format, headers);
        http.Prune();
        return draft;
    }

    private static CsvDraft ReadCsv(ManifestObject csv)
    {
        var draft = new CsvDraft(csv.Integer("fieldNum"), csv.Text("fieldName"), csv.Flag("header"), csv.Text("columnDelimiter"),
            csv.Text("commentDelimiter"), csv.Integer("recordSize"), csv.Flag("disableRecordSizeValidation"));
        csv.Prune();
        return draft;
    }

    private static KeyRefDraft? ReadReference(ManifestObject from, string name, string feed)
    {
        if (from.Object(name) is not { } reference)
        {
            return null;
        }
        var draft = new KeyRefDraft(reference.Text("name"), reference.Text("key"), reference.Flag("optional"), feed);
        reference.Prune();
        return draft;
    }

    // Spec.Pull.Http.Headers[0].Name to spec.pull.http.headers[0].name; keys in brackets stay.
    private static string ManifestPath(string property) =>
        string.Create(property.Length, property, static (to, from) =>
        {
            int depth = 0;
            for (int i = 0; i < from.Length; i++)
            {
                depth += from[i] == '[' ? 1 : from[i] == ']' ? -1 : 0;
                to[i] = depth == 0 && (i == 0 || from[i - 1] == '.') ? char.ToLowerInvariant(from[i]) : from[i];
            }
        });
}
