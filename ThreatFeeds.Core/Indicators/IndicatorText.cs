using System.Text;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Indicators;

/// <summary>Encoded entries to text and back.</summary>
public static class IndicatorText
{
    /// <summary>An encoded entry as people write it; a prefix of one host without its length.</summary>
    public static string Decode(ReadOnlySpan<byte> encoded) =>
        encoded is [4 or 6, ..] ? IpPrefix.Decode(encoded).ToString() : Encoding.ASCII.GetString(encoded);

    /// <summary>
    /// Encodes a name (<c>x.example</c>), a wildcard (<c>*.x.example</c> or <c>.x.example</c>), an address or a prefix in canonical or any
    /// accepted form. False when the text is none of these for the content.
    /// </summary>
    public static bool TryEncode(ContentKind content, ReadOnlySpan<char> text, out byte[] encoded)
    {
        encoded = [];
        text = text.Trim();
        if (content == ContentKind.IPSet)
        {
            var utf8 = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
            int length = Encoding.UTF8.GetBytes(text, utf8);
            if (!IpPrefix.TryParse(utf8.AsSpan(0, length), out IpPrefix prefix, out _))
            {
                return false;
            }
            Span<byte> to = stackalloc byte[IpPrefix.MaxEncodedLength];
            encoded = to[..prefix.Encode(to)].ToArray();
            return true;
        }
        int mark = text.StartsWith("*.", StringComparison.Ordinal) ? 2 : text.StartsWith(".", StringComparison.Ordinal) ? 1 : 0;
        if (!DomainName.TryCanonicalize(text[mark..], out string name))
        {
            return false;
        }
        encoded = Encoding.ASCII.GetBytes(mark > 0 ? "*." + name : name);
        return true;
    }
}
