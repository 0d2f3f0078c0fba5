namespace ThreatFeeds.Storage;

/// <summary>A page of a list.</summary>
/// <param name="Next">Cursor of the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
