using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Runs;

/// <summary>The runs of all feeds, as they are read.</summary>
public sealed class RunHistory(IContextFactory contexts)
{
    /// <summary>Finished runs kept for each feed.</summary>
    public const int Kept = 100;

    /// <summary>One run of this feed with what it refused, or null.</summary>
    public async Task<FeedRun?> FindAsync(Feed feed, string id, CancellationToken cancellationToken)
    {
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out long key))
        {
            return null;
        }
        await using ThreatFeedsContext db = contexts.Create();
        RunRow? row = await db.Runs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == key && r.Feed == feed.Name && r.FeedUid == feed.Uid, cancellationToken);
        return row is null ? null : View(row) with { Refusals = JsonSerializer.Deserialize<List<Refusal>>(row.Refusals, JsonSerializerOptions.Web) ?? [] };
    }

    /// <summary>The uids of feeds with a run that is queued or active.</summary>
    public async Task<IReadOnlySet<Guid>> UnfinishedAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return (await db.Runs.Where(r => r.FinishedAt == null).Select(r => r.FeedUid).ToListAsync(cancellationToken)).ToHashSet();
    }

    /// <summary>The newest finished pull of each feed, by the feed's uid.</summary>
    public async Task<IReadOnlyDictionary<Guid, RunRow>> LastPullsAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        IQueryable<long> newest = db.Runs.Where(r => r.FinishedAt != null && r.Trigger != RunTrigger.Push).GroupBy(r => r.FeedUid).Select(g => g.Max(r => r.Id));
        return await db.Runs.AsNoTracking().Where(r => newest.Contains(r.Id)).ToDictionaryAsync(r => r.FeedUid, cancellationToken);
    }

    /// <summary>Whether the text is the cursor of a page of runs.</summary>
    public static bool IsCursor(string after) => long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>The feed's runs, newest first.</summary>
    /// <param name="after">Cursor of the page before; null for the first.</param>
    /// <param name="limit">1 to 100.</param>
    public async Task<Page<FeedRun>> ListAsync(Feed feed, string? after, int limit, CancellationToken cancellationToken)
    {
        limit = Math.Clamp(limit, 1, Kept);
        long before = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out long cursor) ? cursor : long.MaxValue;
        await using ThreatFeedsContext db = contexts.Create();
        List<RunRow> rows = await db.Runs.AsNoTracking()
            .Where(r => r.Feed == feed.Name && r.FeedUid == feed.Uid && r.Id < before)
            .OrderByDescending(r => r.Id).Take(limit + 1).ToListAsync(cancellationToken);
        string? next = rows.Count > limit ? rows[limit - 1].Id.ToString(CultureInfo.InvariantCulture) : null;
        return new Page<FeedRun>([.. rows.Take(limit).Select(View)], next);
    }

    public static FeedRun View(RunRow row) => new(
        row.Id.ToString(CultureInfo.InvariantCulture), row.Feed, row.Trigger, Utc(row.StartedAt), Utc(row.FinishedAt), row.Outcome,
        row.Accepted, row.Added, row.Removed, row.Skipped, row.Refused,
        // Rows of earlier versions hold whatever a server sent.
        row.Message is null ? null : VisibleText.Of(row.Message, VisibleText.Message));

    private static DateTimeOffset? Utc(DateTime? value) => value is null ? null : new DateTimeOffset(DateTime.SpecifyKind(value.Value, DateTimeKind.Utc));
}
