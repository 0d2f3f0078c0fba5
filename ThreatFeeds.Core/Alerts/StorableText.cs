using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Alerts;

/// <summary>
/// Text from outside on its way into a row. Every database stores the result and can index it: characters that one of them refuses or nobody can see are
/// written as <see cref="VisibleText"/> does, and what is too long keeps its beginning and a hash of the whole, so that two long texts stay two.
/// </summary>
internal static class StorableText
{
    private const int HashBytes = 16;

    /// <summary>The text itself where nothing is wrong with it.</summary>
    /// <param name="bytes">Bytes of UTF-8 the result may have; at least 64.</param>
    public static string Of(string text, int bytes)
    {
        string visible = VisibleText.Whole(text);
        // No character has more than three bytes a unit of UTF-16.
        if (3L * visible.Length <= bytes || Encoding.UTF8.GetByteCount(visible) <= bytes)
        {
            return visible;
        }
        string mark = "…#" + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan()))[..HashBytes]);
        int room = bytes - Encoding.UTF8.GetByteCount(mark);
        int length = 0;
        foreach (Rune rune in visible.EnumerateRunes())
        {
            if (rune.Utf8SequenceLength > room)
            {
                break;
            }
            room -= rune.Utf8SequenceLength;
            length += rune.Utf16SequenceLength;
        }
        return string.Concat(visible.AsSpan(0, length), mark);
    }

    /// <summary>Null stays null.</summary>
    public static string? OrNull(string? text, int bytes) => text is null ? null : Of(text, bytes);

    /// <summary>A record as text. A NUL cannot stand in JSON as it is, so that its escape leaves what can be parsed parsable.</summary>
    public static string OfRecord(ReadOnlySpan<byte> line) => Encoding.UTF8.GetString(line).Replace("\0", "\\u0000", StringComparison.Ordinal);
}
