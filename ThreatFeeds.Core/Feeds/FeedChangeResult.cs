using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>How an operator wants a change made.</summary>
/// <param name="DryRun">Do everything but keep it.</param>
/// <param name="Strict">Refuse unknown fields instead of leaving them out.</param>
public sealed record FeedChangeOptions(bool DryRun = false, bool Strict = false)
{
    public static readonly FeedChangeOptions Default = new();
}

/// <summary>What an operator's change came to.</summary>
public abstract record FeedChangeResult
{
    private FeedChangeResult() { }

    /// <param name="Row">After the change; before it, when deleted.</param>
    /// <param name="LeftOut">Paths of unknown fields that were left out, for a warning.</param>
    public sealed record Ok(ResourceRow Row, Told<string> LeftOut) : FeedChangeResult;

    public sealed record NotFound : FeedChangeResult;

    public sealed record AlreadyExists(string Name) : FeedChangeResult;

    public sealed record Conflict(string Message) : FeedChangeResult;

    /// <param name="Name">The name in the manifest; empty when it has none.</param>
    public sealed record Invalid(string Name, IReadOnlyList<FeedProblem> Problems) : FeedChangeResult;

    /// <summary>The change asked for strictness and has fields nobody knows.</summary>
    public sealed record UnknownFields(Told<string> Paths) : FeedChangeResult;
}
