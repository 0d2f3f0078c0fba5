namespace ThreatFeeds.Sets;

/// <summary>Where a set came from.</summary>
/// <param name="Digest">SHA-256 (hex) of the body after decompression.</param>
/// <param name="Origin">URL, format and fields; empty for a push.</param>
public sealed record SetSource(string Digest, string Origin, string? ETag, string? LastModified);
