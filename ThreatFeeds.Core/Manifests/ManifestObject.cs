using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThreatFeeds.Manifests;

/// <summary>
/// Reads the members of one object of a manifest and collects what has the wrong type. <see cref="Prune"/> removes what was never
/// asked for, as a Kubernetes API server does.
/// </summary>
internal sealed class ManifestObject(JsonObject node, string path, ManifestFindings findings)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public bool Has(string name) => Get(name) is not null;

    public string? Text(string name) => Typed<string>(name, "string", JsonValueKind.String);

    public bool Flag(string name) => Get(name) is JsonValue v && v.GetValueKind() is JsonValueKind.True or JsonValueKind.False
        ? Get(name)!.GetValue<bool>()
        : Typed<bool?>(name, "boolean", JsonValueKind.True) ?? false;

    public long? Integer(string name)
    {
        if (Get(name) is JsonValue value && value.GetValueKind() == JsonValueKind.Number)
        {
            // Whichever CLR type the reader gave the number.
            if (long.TryParse(value.ToJsonString(), out long whole))
            {
                return whole;
            }
            findings.WrongType(PathOf(name), "integer", value);
            return null;
        }
        return Typed<long?>(name, "integer", JsonValueKind.Number);
    }

    public ManifestObject? Object(string name)
    {
        switch (Get(name))
        {
            case null:
                return null;
            case JsonObject inner:
                return new ManifestObject(inner, PathOf(name), findings);
            case { } other:
                findings.WrongType(PathOf(name), "object", other);
                return null;
        }
    }

    public IEnumerable<ManifestObject> Objects(string name)
    {
        if (Get(name) is not JsonArray items)
        {
            if (Get(name) is { } other)
            {
                findings.WrongType(PathOf(name), "array", other);
            }
            yield break;
        }
        for (int i = 0; i < items.Count; i++)
        {
            string at = $"{PathOf(name)}[{i}]";
            if (items[i] is JsonObject inner)
            {
                yield return new ManifestObject(inner, at, findings);
            }
            else
            {
                findings.WrongType(at, "object", items[i]);
            }
        }
    }

    public IReadOnlyDictionary<string, string> Map(string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Get(name) is JsonObject members)
        {
            foreach ((string key, JsonNode? value) in members)
            {
                if (value?.GetValueKind() == JsonValueKind.String)
                {
                    map[key] = value.GetValue<string>();
                }
                else
                {
                    findings.WrongType($"{PathOf(name)}.{key}", "string", value);
                }
            }
        }
        else if (Get(name) is { } other)
        {
            findings.WrongType(PathOf(name), "object", other);
        }
        return map;
    }

    /// <summary>Names that are no mistake but of no use here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _known.Add(name);
        }
    }

    /// <summary>Removes and reports members never asked for, and those that are null.</summary>
    public void Prune()
    {
        var kept = new List<KeyValuePair<string, JsonNode?>>();
        int before = node.Count;
        foreach (KeyValuePair<string, JsonNode?> member in node)
        {
            if (!_known.Contains(member.Key))
            {
                findings.AddUnknown(PathOf(member.Key));
            }
            else if (member.Value is not null)
            {
                kept.Add(member);
            }
        }
        if (kept.Count == before)
        {
            return;
        }
        // Taken out one by one, each would move all behind it: many unknown members would cost the square of their number.
        node.Clear();
        foreach (KeyValuePair<string, JsonNode?> member in kept)
        {
            node.Add(member);
        }
    }

    private JsonNode? Get(string name)
    {
        _known.Add(name);
        return node[name];
    }

    private T? Typed<T>(string name, string type, JsonValueKind kind)
    {
        if (Get(name) is not { } value)
        {
            return default;
        }
        if (value.GetValueKind() == kind)
        {
            return value.GetValue<T>();
        }
        findings.WrongType(PathOf(name), type, value);
        return default;
    }
}

/// <summary>What is wrong with a manifest. The one place where its number and length are bounded.</summary>
internal sealed class ManifestFindings
{
    private const int LongestPath = 300;
    private const int LongestMessage = 1000;

    public Told<FeedProblem> Problems { get; } = new();

    public Told<string> UnknownFields { get; } = new();

    public void Add(FeedProblem problem) =>
        Problems.Add(problem with { Path = ToldText.Cut(problem.Path, LongestPath), Message = ToldText.Cut(problem.Message, LongestMessage) });

    public void AddUnknown(string path) => UnknownFields.Add(ToldText.Cut(path, LongestPath));

    public void WrongType(string path, string expected, JsonNode? value)
    {
        string given = value?.GetValueKind() switch
        {
            null or JsonValueKind.Null => "null",
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => "number",
            _ => "boolean",
        };
        Add(new FeedProblem(path, ProblemReasons.TypeInvalid, $"Invalid value: \"{given}\": {path} in body must be of type {expected}: \"{given}\""));
    }
}

/// <summary>Kubernetes' reasons of causes.</summary>
public static class ProblemReasons
{
    public const string Invalid = "FieldValueInvalid";
    public const string Required = "FieldValueRequired";
    public const string NotSupported = "FieldValueNotSupported";
    public const string TooLong = "FieldValueTooLong";
    public const string TooMany = "FieldValueTooMany";
    public const string Forbidden = "FieldValueForbidden";
    public const string TypeInvalid = "FieldValueTypeInvalid";
}
