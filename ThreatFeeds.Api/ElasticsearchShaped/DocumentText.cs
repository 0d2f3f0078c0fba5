using System.Buffers;
using System.Text.Json;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>Finds what JSON allows in a string and no UTF-8 can hold, before anybody reads that string.</summary>
internal static class DocumentText
{
    /// <summary>One-based line and byte of the first key or string that is no text; null when all are.</summary>
    /// <exception cref="JsonException">The document is not JSON.</exception>
    public static (long Line, long Column)? BrokenAt(ReadOnlySequence<byte> document)
    {
        var reader = new Utf8JsonReader(document);
        byte[] text = [];
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
            {
                continue;
            }
            int length = (int)(reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length);
            if (text.Length < length)
            {
                text = new byte[Math.Max(length, 2 * text.Length)];
            }
            try
            {
                reader.CopyString(text);
            }
            catch (InvalidOperationException)
            {
                return Place(document.Slice(0, reader.TokenStartIndex));
            }
        }
        return null;
    }

    private static (long Line, long Column) Place(ReadOnlySequence<byte> before)
    {
        long line = 1;
        long column = 1;
        foreach (ReadOnlyMemory<byte> part in before)
        {
            int newlines = part.Span.Count((byte)'\n');
            line += newlines;
            column = newlines == 0 ? column + part.Length : part.Length - part.Span.LastIndexOf((byte)'\n');
        }
        return (line, column);
    }
}
