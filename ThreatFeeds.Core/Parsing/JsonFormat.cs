using System.Text.Json;
using System.Text;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Parsing;

/// <summary>The strings that a JSONPath finds in a JSON body.</summary>
internal static class JsonFormat
{
    /// <summary>Levels of nesting that are read.</summary>
    public const int MaxDepth = 64;

    public static async Task<ParseResult> ParseAsync(Stream body, ParseSettings settings, FeedFormat.Json json, CancellationToken ct)
    {
        var to = new EntryCollector(settings);
        if (!JsonPath.TryParse(json.Path, out JsonPath? path, out string? error))
        {
            return to.Finish($"The path is no JSONPath: {error}");
        }
        using var buffer = new MemoryStream();
        await body.CopyToAsync(buffer, ct);
        ReadOnlyMemory<byte> bytes = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        if (bytes.Span.StartsWith("\uFEFF"u8))
        {
            to.Count(Cleaning.ByteOrderMark);
            bytes = bytes[3..];
        }
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return to.Finish("The body is empty.");
        }
        if (BodyTraits.WebPage(bytes.Span) is { } page)
        {
            return to.Finish(page);
        }
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException e)
        {
            bool text = bytes.Span.TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[' or (byte)'"', ..];
            string hint = text ? " It looks like lines of text; the stanza that reads those is: format: {newlineDelimited: {}}" : "";
            return to.Finish($"The body is not readable JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}): cut short, broken or nested deeper than {MaxDepth}.{hint}");
        }
        using (document)
        {
            string? unusable = Take(document.RootElement, path, to);
            if (unusable is not null && JsonSuggestion.Of(bytes.Span[..Math.Min(bytes.Length, 1 << 20)], settings) is { } suggestion)
            {
                to.Problems.Add(suggestion);
            }
            if (unusable is null && BodyTraits.OtherContent(to) is { } content)
            {
                to.Problems.Add(content);
            }
            return to.Finish(unusable);
        }
    }

    private static string? Take(JsonElement root, JsonPath path, EntryCollector to)
    {
        if (!path.TryEvaluate(root, out List<JsonElement> found))
        {
            return $"The path {path} finds more than {JsonPath.MaxNodes} values: make it more specific.";
        }
        if (found.Count == 0)
        {
            string keys = root.ValueKind == JsonValueKind.Object
                ? " The document has the keys: " + string.Join(", ", root.EnumerateObject().Take(20).Select(p => p.Name)) + "."
                : root.ValueKind == JsonValueKind.Array ? " The document is an array." : "";
            return $"The path {path} finds nothing.{keys}";
        }
        if (found is [{ ValueKind: JsonValueKind.Array } list])
        {
            found = [.. list.EnumerateArray()];
            if (found.Count == 0)
            {
                return $"The list at {path} is empty.";
            }
        }
        else if (path.IsSingular)
        {
            return $"The path {path} gives {Kind(found[0])}, not a list of strings.";
        }
        if (!found.Exists(e => e.ValueKind == JsonValueKind.String))
        {
            string hint = found[0].ValueKind switch
            {
                JsonValueKind.Array => $" Add [*] to take the elements of each: {path}[*]",
                JsonValueKind.Object => $" Add the key that holds the indicator; the first has: {string.Join(", ", found[0].EnumerateObject().Take(20).Select(p => p.Name))}.",
                _ => "",
            };
            return $"The path {path} gives a list of {found.Count} values and none is a string (the first is {Kind(found[0])}).{hint}";
        }
        long place = 0;
        foreach (JsonElement element in found)
        {
            place++;
            if (element.ValueKind != JsonValueKind.String)
            {
                to.Refuse(Encoding.UTF8.GetBytes(Kind(element)), place, "not a string");
                continue;
            }
            try
            {
                to.Add(Encoding.UTF8.GetBytes(element.GetString()!), place);
            }
            catch (InvalidOperationException)
            {
                to.Refuse([], place, "invalid UTF-8"); // A lone surrogate written as an escape, or broken bytes.
            }
        }
        return null;
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "one string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
