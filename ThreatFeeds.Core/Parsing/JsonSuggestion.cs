using System.Text;
using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>Looks into the beginning of a JSON body for a path that leads to indicators.</summary>
internal static class JsonSuggestion
{
    /// <summary>A sentence with the stanza, or what the document is instead; null when nothing can be said.</summary>
    public static string? Of(ReadOnlySpan<byte> head, ParseSettings settings)
    {
        var reader = new Utf8JsonReader(head, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = JsonFormat.MaxDepth }));
        var probe = new EntryReader(settings);
        var path = new Stack<string>();
        string? pending = null, stix = null;
        bool any = false;
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        pending = reader.GetString();
                        break;
                    case JsonTokenType.StartObject:
                        path.Push(Step(ref pending));
                        break;
                    case JsonTokenType.StartArray:
                        path.Push(Step(ref pending) + "[*]");
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        path.Pop();
                        break;
                    case JsonTokenType.String:
                        string value = reader.GetString()!;
                        stix ??= path.Count == 1 && pending == "type" && value == "bundle" ? value : null;
                        any = true;
                        if (stix is null && path.Any(p => p.EndsWith(']')) && probe.Read(Encoding.UTF8.GetBytes(value)).Kind == VerdictKind.Accepted)
                        {
                            return Stanza("$" + string.Concat(path.Reverse()) + Step(ref pending));
                        }
                        pending = null;
                        break;
                    default:
                        pending = null;
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
        return stix is not null
            ? "The body is a STIX bundle: its indicators stand inside patterns, which no format reads."
            : !any ? null : "The body is JSON, but no list of indicators for this content was found at its beginning.";
    }

    // One that is cut would read something else.
    private static string Stanza(string path) => path.Length <= VisibleText.Quoted
        ? $"The body is JSON; the stanza that reads it is: format: {{json: {{path: '{path}'}}}}"
        : "The body is JSON; the path to its list of indicators is too long to be shown.";

    private static string Step(ref string? pending)
    {
        string step = pending is null ? "" : pending.Length > 0 && pending.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !char.IsAsciiDigit(pending[0])
            ? "." + pending
            : "[" + JsonSerializer.Serialize(pending) + "]";
        pending = null;
        return step;
    }
}
