using System.IO.Compression;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>How a body is packed (RFC 9110, 8.4): at most once, since each further layer multiplies what a few bytes can cost.</summary>
internal static class ContentCoding
{
    /// <summary>What is asked for.</summary>
    public const string Accepted = "gzip, br, deflate";

    /// <summary>The body as it was before packing. A read throws <see cref="InvalidDataException"/>, <see cref="InvalidOperationException"/> or <see cref="IOException"/> when it is broken.</summary>
    /// <param name="codings">The value of Content-Encoding; null without one.</param>
    public static Stream Unpacked(Stream raw, string? codings, Uri url)
    {
        if (codings?.Contains(',', StringComparison.Ordinal) == true)
        {
            throw new FetchException($"{url.Authority} sent the body in several codings ({VisibleText.Of(codings, VisibleText.Quoted)}); at most one is taken.") { BodyUnusable = true };
        }
        return codings?.Trim().ToUpperInvariant() switch
        {
            null or "" or "IDENTITY" => raw,
            "GZIP" or "X-GZIP" => new WholeGzipStream(raw),
            "BR" => new BrotliStream(raw, CompressionMode.Decompress),
            "DEFLATE" => new ZLibStream(raw, CompressionMode.Decompress),
            _ => throw new FetchException($"{url.Authority} sent the body in the coding '{VisibleText.Of(codings, VisibleText.Quoted)}', which was not asked for ({Accepted} are).") { BodyUnusable = true },
        };
    }
}
