using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>One feed as lists show it.</summary>
/// <param name="Health">In words; null when all is well.</param>
/// <param name="HitsByHour">Hits in each of the last 24 hours, oldest first.</param>
public sealed record FeedOverview(
    Feed Feed, long Indicators, DateTimeOffset? SetChangedAt, FeedRun? LastRun, string? Health, ConditionType? HealthType,
    DateTimeOffset? LastSuccessfulSync, DateTimeOffset? LastSuccessfulSearch, long Hits, DateTimeOffset? LastHitAt,
    IReadOnlyList<long> HitsByHour, DateTimeOffset CreatedAt, long ResourceVersion);

/// <summary>What each feed is, whether it is well, and what it caught.</summary>
public sealed class FeedOverviews(IContextFactory contexts, FeedCatalog catalog, TimeProvider time)
{
    private const int Hours = 24;

    /// <summary>All feeds by name.</summary>
    public async Task<IReadOnlyList<FeedOverview>> ListAsync(CancellationToken cancellationToken) => await OfAsync(await catalog.ListAsync(cancellationToken), cancellationToken);

    /// <summary>One feed, or null.</summary>
    public async Task<FeedOverview?> FindAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed ? (await OfAsync([feed], cancellationToken))[0] : null;

    private async Task<IReadOnlyList<FeedOverview>> OfAsync(IReadOnlyList<StoredFeed> feeds, CancellationToken cancellationToken)
    {
        Guid[] uids = [.. feeds.Select(f => f.Feed.Uid)];
        await using ThreatFeedsContext db = contexts.Create();
        Dictionary<Guid, StoredSetRow> sets = await (from l in db.Listings join s in db.StoredSets on l.SetId equals s.Id select new { l.FeedUid, Set = s })
            .AsNoTracking().ToDictionaryAsync(p => p.FeedUid, p => p.Set, cancellationToken);
        long[] lastRuns = await db.Runs.Where(r => r.StartedAt != null).GroupBy(r => r.Feed).Select(g => g.Max(r => r.Id)).ToArrayAsync(cancellationToken);
        ILookup<string, RunRow> runs = (await db.Runs.AsNoTracking().Where(r => lastRuns.Contains(r.Id)).ToListAsync(cancellationToken)).ToLookup(r => r.Feed);
        var totals = await db.FeedHits.Where(h => uids.Contains(h.FeedUid)).GroupBy(h => h.FeedUid)
            .Select(g => new { Feed = g.Key, Count = g.Sum(h => h.Count), Last = g.Max(h => h.LastTime) }).ToDictionaryAsync(t => t.Feed, cancellationToken);
        long hour = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
        ILookup<Guid, FeedHitsRow> recent = (await db.FeedHits.AsNoTracking().Where(h => h.Hour > hour - Hours && h.Hour <= hour).ToListAsync(cancellationToken)).ToLookup(h => h.FeedUid);

        return [.. feeds.Select(f =>
        {
            sets.TryGetValue(f.Feed.Uid, out StoredSetRow? set);
            totals.TryGetValue(f.Feed.Uid, out var total);
            var byHour = new long[Hours];
            foreach (FeedHitsRow row in recent[f.Feed.Uid])
            {
                byHour[row.Hour - hour + Hours - 1] = row.Count;
            }
            RunRow? run = runs[f.Feed.Name].FirstOrDefault(r => r.FeedUid == f.Feed.Uid);
            FeedCondition? condition = f.Status.ErrorConditions is [var first, ..] ? first : null;
            return new FeedOverview(
                f.Feed, set?.Count ?? 0, set is null ? null : new DateTimeOffset(set.CreatedAt, TimeSpan.Zero), run is null ? null : RunHistory.View(run),
                condition?.Message, condition?.Type, f.Status.LastSuccessfulSync, f.Status.LastSuccessfulSearch,
                total?.Count ?? 0, total is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(total.Last), byHour,
                new DateTimeOffset(f.Row.CreatedAt, TimeSpan.Zero), f.Row.ResourceVersion);
        })];
    }
}
