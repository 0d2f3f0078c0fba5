using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ThreatFeeds.Parsing;

/// <summary>
/// A JSONPath: RFC 9535 without filters and functions, both kinds of quotes, <c>$.</c> for the root, and unquoted names in brackets, as the
/// original's documented dialect has them.
/// </summary>
public sealed class JsonPath
{
    /// <summary>Most values a path may find or pass through: a path of many <c>..</c> would multiply them without bound.</summary>
    public const int MaxNodes = 20_000_000;

    private readonly string _text;
    private readonly IReadOnlyList<JsonPathSegment> _segments;

    internal JsonPath(string text, IReadOnlyList<JsonPathSegment> segments)
    {
        _text = text;
        _segments = segments;
        IsSingular = segments.All(s => !s.Descendants && s.Selectors is [JsonPathSelector.Name or JsonPathSelector.Index]);
    }

    /// <summary>The path can find at most one value.</summary>
    public bool IsSingular { get; }

    /// <summary>Reads a path; the error says what is wrong and at which character, counted from 1.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out JsonPath? path, [NotNullWhen(false)] out string? error)
    {
        var parser = new JsonPathParser(text);
        path = parser.Parse();
        error = path is null ? parser.Error : null;
        return path is not null;
    }

    /// <summary>The values the path finds, in the RFC's order. Throws when there are more than <see cref="MaxNodes"/>.</summary>
    public IReadOnlyList<JsonElement> Evaluate(JsonElement root) =>
        TryEvaluate(root, out List<JsonElement> found) ? found : throw new InvalidOperationException($"The path finds more than {MaxNodes} values.");

    /// <summary>The path as it was written.</summary>
    public override string ToString() => _text;

    internal bool TryEvaluate(JsonElement root, out List<JsonElement> found)
    {
        found = [root];
        int visited = 0;
        foreach (JsonPathSegment segment in _segments)
        {
            var next = new List<JsonElement>();
            foreach (JsonElement node in found)
            {
                if (!Apply(segment, node, next, ref visited))
                {
                    return false;
                }
            }
            found = next;
        }
        return true;
    }

    private static bool Apply(JsonPathSegment segment, JsonElement node, List<JsonElement> to, ref int visited)
    {
        foreach (JsonPathSelector selector in segment.Selectors)
        {
            selector.Select(node, to);
        }
        if (++visited > MaxNodes || to.Count > MaxNodes)
        {
            return false;
        }
        if (!segment.Descendants)
        {
            return true;
        }
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement child in node.EnumerateArray())
            {
                if (!Apply(segment, child, to, ref visited))
                {
                    return false;
                }
            }
        }
        else if (node.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty child in node.EnumerateObject())
            {
                if (!Apply(segment, child.Value, to, ref visited))
                {
                    return false;
                }
            }
        }
        return true;
    }
}

/// <param name="Descendants">Applies to the node and everything below it (<c>..</c>).</param>
internal sealed record JsonPathSegment(bool Descendants, IReadOnlyList<JsonPathSelector> Selectors);

/// <summary>What one element between brackets chooses.</summary>
internal abstract record JsonPathSelector
{
    public abstract void Select(JsonElement node, List<JsonElement> to);

    public sealed record Name(string Key) : JsonPathSelector
    {
        public override void Select(JsonElement node, List<JsonElement> to)
        {
            if (node.ValueKind == JsonValueKind.Object && node.TryGetProperty(Key, out JsonElement value))
            {
                to.Add(value);
            }
        }
    }

    public sealed record Wildcard : JsonPathSelector
    {
        public override void Select(JsonElement node, List<JsonElement> to)
        {
            if (node.ValueKind == JsonValueKind.Array)
            {
                to.AddRange(node.EnumerateArray());
            }
            else if (node.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in node.EnumerateObject())
                {
                    to.Add(property.Value);
                }
            }
        }
    }

    public sealed record Index(long At) : JsonPathSelector
    {
        public override void Select(JsonElement node, List<JsonElement> to)
        {
            if (node.ValueKind == JsonValueKind.Array)
            {
                long length = node.GetArrayLength(), at = At < 0 ? length + At : At;
                if (at >= 0 && at < length)
                {
                    to.Add(node[(int)at]);
                }
            }
        }
    }

    public sealed record Slice(long? Start, long? End, long Step) : JsonPathSelector
    {
        public override void Select(JsonElement node, List<JsonElement> to)
        {
            if (node.ValueKind != JsonValueKind.Array || Step == 0)
            {
                return;
            }
            JsonElement[] all = [.. node.EnumerateArray()]; // By number an element costs a walk from the first.
            long length = all.Length;
            if (Step > 0)
            {
                long end = Math.Clamp(At(End ?? length), 0, length);
                for (long i = Math.Clamp(At(Start ?? 0), 0, length); i < end; i += Step)
                {
                    to.Add(all[i]);
                }
                return;
            }
            long stop = End is null ? -1 : Math.Clamp(At(End.Value), -1, length - 1);
            for (long i = Math.Clamp(At(Start ?? length - 1), -1, length - 1); i > stop; i += Step)
            {
                to.Add(all[i]);
            }

            long At(long value) => value < 0 ? length + value : value;
        }
    }
}
