using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>What became of a pushed document.</summary>
public enum PushStatus
{
    /// <summary>The feed's set is what the document says.</summary>
    Stored,
    /// <summary>There is no such feed yet; the document waits for it.</summary>
    Waiting,
    /// <summary>The document is unusable; nothing changed.</summary>
    Unusable,
    /// <summary>The feed is pulled, so that nothing may be pushed to it.</summary>
    PulledFeed,
    /// <summary>The document was to be created but exists.</summary>
    Exists,
    /// <summary>The document was to be changed or deleted but does not exist.</summary>
    Missing,
    /// <summary>Too many documents wait for feeds that do not exist.</summary>
    TooManyWaiting,
    /// <summary>The document was deleted; the feed's set is empty.</summary>
    Deleted,
}

/// <param name="Version">Of the document, from 1; 0 when there is none.</param>
/// <param name="Message">Why, and what to write instead; empty when stored.</param>
/// <param name="Created">The document did not exist before.</param>
public sealed record PushResult(PushStatus Status, long Version, string Message, bool Created = false, long Accepted = 0, long Refused = 0);

/// <summary>A document as its writer reads it back.</summary>
public sealed record PushedDocument(string Feed, ContentKind Content, string Document, long Version);

/// <summary>How a document may be written.</summary>
public enum PushMode
{
    /// <summary>Created or replaced.</summary>
    Put,
    /// <summary>Only created.</summary>
    Create,
    /// <summary>Only replaced.</summary>
    Update,
}
