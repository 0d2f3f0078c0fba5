namespace ThreatFeeds.Indicators;

/// <summary>Encoded entries to text and back.</summary>
public static class IndicatorText
{
    /// <summary>An encoded entry as people write it; a prefix of one host without its length.</summary>
    public static string Decode(ReadOnlySpan<byte> encoded) => throw new NotImplementedException();

    /// <summary>
    /// Encodes a name (<c>x.example</c>), a wildcard (<c>*.x.example</c>), an address or a prefix in canonical or any accepted form.
    /// False when the text is none of these for the content.
    /// </summary>
    public static bool TryEncode(ContentKind content, ReadOnlySpan<char> text, out byte[] encoded) => throw new NotImplementedException();
}
