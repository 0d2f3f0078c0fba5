using System.Text.Json.Nodes;
using System.Text.Json;
using System.Text;

namespace ThreatFeeds.Manifests;

/// <summary>Manifests as text: one JSON or YAML object of at most 1 MiB.</summary>
public static class ManifestText
{
    public const int MaxBytes = 1024 * 1024;
    private const int JsonDepth = 64;

    /// <summary>Reads JSON when the text begins with a brace, else YAML (which most JSON is, too, but for its errors).</summary>
    public static JsonObject Read(ReadOnlyMemory<byte> text)
    {
        ReadOnlySpan<byte> trimmed = WithoutMark(text.Span).TrimStart(" \t\r\n"u8);
        return trimmed.StartsWith((byte)'{') ? ReadJson(text) : ReadYaml(text);
    }

    /// <exception cref="ManifestException">With line and column.</exception>
    public static JsonObject ReadYaml(ReadOnlyMemory<byte> text) => AsObject(YamlReader.Read(Decode(text)));

    /// <summary>JSON, depth at most 64, no member twice, no comments.</summary>
    /// <exception cref="ManifestException">With line and column.</exception>
    public static JsonObject ReadJson(ReadOnlyMemory<byte> text)
    {
        CheckSize(text.Length);
        ReadOnlySpan<byte> bytes = WithoutMark(text.Span);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = JsonDepth });
            reader.Read();
            JsonNode? node = ReadNode(ref reader, bytes);
            // Reads on to the end: anything but white space behind the value throws.
            reader.Read();
            return AsObject(node);
        }
        catch (JsonException e)
        {
            throw new ManifestException((e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1, Plain(e.Message), e);
        }
    }

    private static JsonNode? ReadNode(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new JsonObject();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    long at = reader.TokenStartIndex;
                    string name = Text(ref reader, bytes);
                    reader.Read();
                    JsonNode? value = ReadNode(ref reader, bytes);
                    if (!members.TryAdd(name, value))
                    {
                        (long line, long column) = Place(bytes, at);
                        throw new ManifestException(line, column, $"the key \"{name}\" is there twice");
                    }
                }
                return members;
            case JsonTokenType.StartArray:
                var items = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadNode(ref reader, bytes));
                }
                return items;
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                return JsonValue.Create(Text(ref reader, bytes));
            default:
                return JsonNode.Parse(ref reader);
        }
    }

    private static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            (long line, long column) = Place(bytes, reader.TokenStartIndex);
            throw new ManifestException(line, column, "this text is not Unicode: it holds bytes that are not UTF-8, or a surrogate (\\ud800 to \\udfff) without its other half", e);
        }
    }

    private static (long Line, long Column) Place(ReadOnlySpan<byte> bytes, long offset)
    {
        ReadOnlySpan<byte> before = bytes[..(int)offset];
        return (before.Count((byte)'\n') + 1, offset - (before.LastIndexOf((byte)'\n') + 1) + 1);
    }

    private static string Decode(ReadOnlyMemory<byte> text)
    {
        CheckSize(text.Length);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(WithoutMark(text.Span));
        }
        catch (DecoderFallbackException e)
        {
            (long line, long column) = Place(WithoutMark(text.Span), Math.Max(0, Math.Min(e.Index, text.Length - 3)));
            throw new ManifestException(line, column, "the text is not UTF-8", e);
        }
    }

    private static void CheckSize(int length)
    {
        if (length > MaxBytes)
        {
            throw new ManifestException(1, 1, "a manifest has at most 1 MiB");
        }
    }

    private static JsonObject AsObject(JsonNode? node) =>
        node as JsonObject ?? throw new ManifestException(1, 1, node is null ? "the manifest is empty" : "a manifest is an object: keys with values");

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> bytes) => bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;

    // The place is said once, and one-based.
    private static string Plain(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
