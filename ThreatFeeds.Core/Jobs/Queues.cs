namespace ThreatFeeds.Jobs;

/// <summary>The queues of jobs; each has workers of its own, so that long pulls keep neither look-backs nor upkeep waiting.</summary>
internal static class Queues
{
    public const string Pulls = "pulls";
    public const string LookBacks = "look-backs";
    public const string Upkeep = "upkeep";
}
