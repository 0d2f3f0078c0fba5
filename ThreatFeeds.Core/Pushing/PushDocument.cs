using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Sets;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>
/// A pushed document, which has one field, <c>ips</c> or <c>domains</c>, a list of strings. It is read where it lies, and only its list's different entries, within
/// the bound of a set, are ever made into something.
/// </summary>
public sealed class PushDocument
{
    /// <summary>Characters of a field's name in a message.</summary>
    private const int MostShown = 80;

    private readonly ReadOnlySequence<byte> _list;

    private PushDocument(ContentKind content, ReadOnlySequence<byte> bytes, ReadOnlySequence<byte> list, string? problem) => (Content, Bytes, _list, Problem) = (content, bytes, list, problem);

    /// <summary>What the index it was written to holds.</summary>
    public ContentKind Content { get; }

    /// <summary>The document as it came.</summary>
    public ReadOnlySequence<byte> Bytes { get; }

    /// <summary>What is wrong with the document's shape and what to write; null when it is well.</summary>
    public string? Problem { get; }

    /// <summary>Looks a document through.</summary>
    /// <exception cref="JsonException">It is not JSON, or nested deeper than 64.</exception>
    /// <exception cref="DocumentTextException">A text in it is none.</exception>
    public static PushDocument Read(ContentKind content, ReadOnlySequence<byte> document, CancellationToken cancellationToken) => Of(content, DocumentOutline.Read(document, cancellationToken));

    /// <summary>Takes a document that was looked through.</summary>
    public static PushDocument Of(ContentKind content, DocumentOutline outline)
    {
        ArgumentNullException.ThrowIfNull(outline);
        string? problem = ProblemOf(content, outline);
        return new PushDocument(content, outline.Bytes, problem is null ? outline.Members[0].Value : default, problem);
    }

    /// <summary>The field that documents of this content have.</summary>
    public static string Field(ContentKind content) => content == ContentKind.IPSet ? "ips" : "domains";

    /// <summary>A document as it should look.</summary>
    public static string Sample(ContentKind content) =>
        content == ContentKind.IPSet ? """{"ips": ["192.0.2.0/24", "198.51.100.7"]}""" : """{"domains": ["malware.example", "phishing.example"]}""";

    /// <summary>Reads the entries by the rules every feed is read by; a refusal's line is its place in the list.</summary>
    internal async Task<ParseResult> ParseAsync(bool urlsAsHosts, CancellationToken cancellationToken)
    {
        await using Stream body = PipeReader.Create(_list).AsStream();
        return await FeedParser.ParseAsync(body, new ParseSettings(Content, new FeedFormat.Json("$"), urlsAsHosts), cancellationToken);
    }

    /// <summary>Of its bytes, by which a set says where it came from.</summary>
    internal SetSource Source()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> part in Bytes)
        {
            hash.AppendData(part.Span);
        }
        return new SetSource(Convert.ToHexStringLower(hash.GetHashAndReset()), "", null, null);
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

    private static string? ProblemOf(ContentKind content, DocumentOutline outline)
    {
        string field = Field(content);
        string write = $"Write {Sample(content)}.";
        if (outline.Kind != JsonTokenType.StartObject)
        {
            return $"The document is {Words(outline.Kind)}, not an object. {write}";
        }
        if (outline.MemberCount == 0)
        {
            return $"The document is empty. {write} To empty the set, DELETE the document.";
        }
        DocumentMember list = outline.Members[0];
        if (outline.MemberCount > 1 || list.Name != field)
        {
            string other = Field(content == ContentKind.IPSet ? ContentKind.DomainNameSet : ContentKind.IPSet);
            return outline.MemberCount == 1 && list.Name == other
                ? $"The field is '{other}', but this index is for content {content}, whose field is '{field}'. {write} Or use the index for '{other}'."
                : $"The document must have exactly the field '{field}'; it has {string.Join(", ", outline.Members.Select(m => $"'{VisibleText.Of(m.Name, MostShown)}'"))}. {write}";
        }
        return list switch
        {
            { Kind: not JsonTokenType.StartArray } => $"The field '{field}' is {Words(list.Kind)}, not a list. {write}",
            { Foreign: > 0 } => $"Entry {list.Foreign} of '{field}' is {Words(list.ForeignKind)}, not a string. {write}",
            { Elements: 0 } => $"The list '{field}' is empty. {write} To empty the set, DELETE the document.",
            _ => null,
        };
    }

    private static string Words(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartArray => "a list",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };
}
