using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Storage;

/// <summary>One Kubernetes-shaped object, as the operator wrote it and with what we say of it.</summary>
public sealed class ResourceRow
{
    public required string Kind { get; set; }
    /// <summary>Empty for cluster-scoped kinds.</summary>
    public string Namespace { get; set; } = "";
    public required string Name { get; set; }
    public Guid Uid { get; set; }
    public long ResourceVersion { get; set; }
    /// <summary>Grows with each change of the spec (Kubernetes' metadata.generation).</summary>
    public long Generation { get; set; }
    public DateTime CreatedAt { get; set; }
    /// <summary>JSON object of string to string.</summary>
    public string Labels { get; set; } = "{}";
    /// <summary>JSON object of string to string.</summary>
    public string Annotations { get; set; } = "{}";
    /// <summary>The spec as JSON, without defaults filled in.</summary>
    public string Spec { get; set; } = "{}";
    /// <summary>The status as JSON.</summary>
    public string Status { get; set; } = "{}";

    public ResourceRow Copy() => (ResourceRow)MemberwiseClone();
}

/// <summary>One entry of the change log that watchers follow.</summary>
public sealed class ResourceChangeRow
{
    public long ResourceVersion { get; set; }
    public required string Kind { get; set; }
    public string Namespace { get; set; } = "";
    public required string Name { get; set; }
    /// <summary>ADDED, MODIFIED or DELETED.</summary>
    public required string Type { get; set; }
    /// <summary>The whole object as JSON after the change (before it, when deleted); of a Secret, which it is and no more.</summary>
    public required string Document { get; set; }
    public DateTime At { get; set; }
}

/// <summary>A named number that only grows; see <see cref="Counters"/>.</summary>
public sealed class CounterRow
{
    public required string Name { get; set; }
    public long Value { get; set; }
}

/// <summary>What of a feed matters to searching: one row per living feed. A feed deleted and made again has another id.</summary>
public sealed class ListingRow
{
    public long Id { get; set; }
    public Guid FeedUid { get; set; }
    public required string Feed { get; set; }
    public ContentKind Content { get; set; }
    public bool Enabled { get; set; }
    public bool MatchSubdomains { get; set; }
    /// <summary>The set searched for; null until there is one.</summary>
    public long? SetId { get; set; }
}

/// <summary>A stored set: immutable once complete.</summary>
public sealed class StoredSetRow
{
    public long Id { get; set; }
    public ContentKind Content { get; set; }
    public long Count { get; set; }
    /// <summary>The set whose chunks this one shares; its own chunks hold what it adds to them and removes from them. Null when its own chunks hold all.</summary>
    public long? BaseId { get; set; }
    /// <summary>SHA-256 (hex) of the body it came from; of the entries, for a difference.</summary>
    public required string Digest { get; set; }
    /// <summary>Names URL, format and fields the set was read with; the guard compares only like with like.</summary>
    public string Origin { get; set; } = "";
    public string? ETag { get; set; }
    public string? LastModified { get; set; }
    /// <summary>By the database's clock.</summary>
    public DateTime CreatedAt { get; set; }
    public bool Complete { get; set; }
    /// <summary>How the data of its own chunks are encoded; 1 is the first form, 0 says that the set was found damaged.</summary>
    public int Format { get; set; } = 1;
}

/// <summary>About 64 k sorted entries of a stored set, front-coded and compressed.</summary>
public sealed class SetChunkRow
{
    public long SetId { get; set; }
    public int Ordinal { get; set; }
    public int Count { get; set; }
    /// <summary>The first entry, encoded, so that a reader finds its chunk.</summary>
    public required byte[] First { get; set; }
    public required byte[] Data { get; set; }
    /// <summary>The entries are those of the base that the set has not.</summary>
    public bool Removed { get; set; }
}

/// <summary>One change of what is listed. The row of generation g says what g changed.</summary>
public sealed class ListingChangeRow
{
    /// <summary>The generation this change made.</summary>
    public long Generation { get; set; }
    public long ListingId { get; set; }
    public required string Feed { get; set; }
    public ListingReason Reason { get; set; }
    /// <summary>The stored set of entries this change added; null when it only removed.</summary>
    public long? AddedSetId { get; set; }
    public long Added { get; set; }
    public DateTime At { get; set; }
}

/// <summary>
/// One pull or push with its outcome and counts. Accepted ones survive a restart. Queued while StartedAt is null, active until FinishedAt is set; an active
/// one belongs to its owner until the lease is over, then to whoever takes it.
/// </summary>
public sealed class RunRow
{
    public long Id { get; set; }
    public required string Feed { get; set; }
    public Guid FeedUid { get; set; }
    public RunTrigger Trigger { get; set; }
    /// <summary>Who asked for it.</summary>
    public string Actor { get; set; } = "system";
    public DateTime QueuedAt { get; set; }
    public DateTime? StartedAt { get; set; }
    public DateTime? FinishedAt { get; set; }
    /// <summary>The instance that carries it out and which of its takings it is; null while queued and when finished.</summary>
    public string? LeaseOwner { get; set; }
    /// <summary>By the database's clock.</summary>
    public DateTime? LeaseUntil { get; set; }
    /// <summary>Null while queued or active.</summary>
    public RunOutcome? Outcome { get; set; }
    public long Accepted { get; set; }
    public long Added { get; set; }
    public long Removed { get; set; }
    public long Skipped { get; set; }
    public long Refused { get; set; }
    public string? Message { get; set; }
    /// <summary>JSON list of at most 100 refusals: line, text, reason.</summary>
    public string Refusals { get; set; } = "[]";
}

/// <summary>A pushed document that waits for its feed.</summary>
public sealed class WaitingPushRow
{
    public required string Feed { get; set; }
    public ContentKind Content { get; set; }
    public required string Document { get; set; }
}

/// <summary>The document last pushed for a feed, as Elasticsearch clients read it back. Goes with the feed's listing, in its transaction.</summary>
public sealed class PushedDocumentRow
{
    public Guid FeedUid { get; set; }
    public required string Feed { get; set; }
    public ContentKind Content { get; set; }
    public required string Document { get; set; }
    public long Version { get; set; }
}
