using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>Whose the Secrets and ConfigMaps are that headers are taken from, among the feeds there are.</summary>
internal static class HeaderOwners
{
    /// <summary>Why the feed may not take a header from a Secret or ConfigMap of that name, and which name would be right; null when it may.</summary>
    /// <param name="feed">Counts as a feed although it may not be stored yet.</param>
    public static async Task<string?> RefusalAsync(ThreatFeedsContext db, string feed, string name, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> candidates = HeaderOwner.Candidates(name);
        List<string> there = await db.Resources.Where(r => r.Kind == ResourceKind.GlobalThreatFeed.Name && candidates.Contains(r.Name)).Select(r => r.Name).ToListAsync(cancellationToken);
        return HeaderOwner.Refusal(feed, name, candidates.FirstOrDefault(c => c == feed || there.Contains(c)));
    }
}
