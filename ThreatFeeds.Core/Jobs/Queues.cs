namespace ThreatFeeds.Jobs;

/// <summary>The queues of jobs; each has workers of its own, so that what takes long keeps nothing else waiting. A job that fails is deleted, since its next one does the same; only those are kept for ever that nobody deletes.</summary>
internal static class Queues
{
    public const string Pulls = "pulls";
    public const string LookBacks = "look-backs";
    /// <summary>Short work that must come in time: dispatching and sweeping.</summary>
    public const string Upkeep = "upkeep";
    /// <summary>What deletes, and may take an hour.</summary>
    public const string Retention = "retention";
}
