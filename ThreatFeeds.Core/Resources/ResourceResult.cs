using ThreatFeeds.Storage;

namespace ThreatFeeds.Resources;

/// <summary>What a write came to.</summary>
public abstract record ResourceResult
{
    private ResourceResult() { }

    /// <param name="Row">After the change (before it, when deleted).</param>
    /// <param name="Changed">False when the object already said that; its resourceVersion is then as it was.</param>
    /// <param name="Before">Before a replacement; null otherwise.</param>
    public sealed record Ok(ResourceRow Row, bool Changed, ResourceRow? Before = null) : ResourceResult;

    public sealed record NotFound : ResourceResult;

    public sealed record AlreadyExists : ResourceResult;

    /// <param name="Message">Which precondition failed, for the user.</param>
    public sealed record Conflict(string Message) : ResourceResult;
}
