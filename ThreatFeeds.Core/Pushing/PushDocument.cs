using System.Text.Json;
using System.Text;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>The shape of a pushed document: one field, <c>ips</c> or <c>domains</c>, a list of strings.</summary>
public static class PushDocument
{
    /// <summary>The field that documents of this content have.</summary>
    public static string Field(ContentKind content) => content == ContentKind.IPSet ? "ips" : "domains";

    /// <summary>A document as it should look.</summary>
    public static string Sample(ContentKind content) =>
        content == ContentKind.IPSet ? """{"ips": ["192.0.2.0/24", "198.51.100.7"]}""" : """{"domains": ["malware.example", "phishing.example"]}""";

    /// <summary>What is wrong with the document's shape and what to write; null when it is well.</summary>
    public static string? Problem(ContentKind content, JsonElement document)
    {
        string field = Field(content);
        string write = $"Write {Sample(content)}.";
        if (document.ValueKind != JsonValueKind.Object)
        {
            return $"The document is {Words(document.ValueKind)}, not an object. {write}";
        }
        List<string> names = [.. document.EnumerateObject().Select(p => p.Name)];
        if (names.Count == 0)
        {
            return $"The document is empty. {write} To empty the set, DELETE the document.";
        }
        if (names.Count > 1 || names[0] != field)
        {
            string other = Field(content == ContentKind.IPSet ? ContentKind.DomainNameSet : ContentKind.IPSet);
            return names.Count == 1 && names[0] == other
                ? $"The field is '{other}', but this index is for content {content}, whose field is '{field}'. {write} Or use the index for '{other}'."
                : $"The document must have exactly the field '{field}'; it has {string.Join(", ", names.Take(5).Select(n => $"'{n}'"))}. {write}";
        }
        JsonElement list = document.GetProperty(field);
        if (list.ValueKind != JsonValueKind.Array)
        {
            return $"The field '{field}' is {Words(list.ValueKind)}, not a list. {write}";
        }
        int place = 0;
        foreach (JsonElement entry in list.EnumerateArray())
        {
            place++;
            if (entry.ValueKind != JsonValueKind.String)
            {
                return $"Entry {place} of '{field}' is {Words(entry.ValueKind)}, not a string. {write}";
            }
        }
        return place == 0 ? $"The list '{field}' is empty. {write} To empty the set, DELETE the document." : null;
    }

    /// <summary>Reads the entries by the rules every feed is read by; a refusal's line is its place in the list.</summary>
    internal static async Task<ParseResult> ParseAsync(ContentKind content, JsonElement document, bool urlsAsHosts, CancellationToken cancellationToken)
    {
        string list = document.GetProperty(Field(content)).GetRawText();
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(list), writable: false);
        return await FeedParser.ParseAsync(body, new ParseSettings(content, new FeedFormat.Json("$"), urlsAsHosts), cancellationToken);
    }

    /// <summary>Why nothing of the entries can be used; null when something can.</summary>
    internal static string? Unusable(ContentKind content, ParseResult parsed)
    {
        if (parsed.Unusable is null && parsed.Set.Count > 0)
        {
            return null;
        }
        string first = parsed.Refusals.Count > 0 ? $" The first, entry {parsed.Refusals[0].Line}, '{parsed.Refusals[0].Text}': {parsed.Refusals[0].Reason}." : "";
        string why = parsed.Unusable is null ? "" : $" {parsed.Unusable}";
        string problems = parsed.Problems.Count == 0 ? "" : $" {string.Join(" ", parsed.Problems)}";
        return $"No entry of the list is usable.{why}{first}{problems} Write {Sample(content)}.";
    }

    private static string Words(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
