using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Feeds;
using ThreatFeeds.Parsing;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Sets;

/// <summary>Why a run was made, as REST shows it.</summary>
public static class RunTriggers
{
    public const string Schedule = "schedule";
    public const string Change = "change";
    public const string Manual = "manual";
    public const string Push = "push";
}

/// <summary>How runs end, as REST shows it.</summary>
public static class RunOutcomes
{
    public const string Replaced = "replaced";
    public const string Unchanged = "unchanged";
    public const string Kept = "kept";
    public const string Failed = "failed";
}

/// <summary>The end of a run.</summary>
/// <param name="Outcome">One of <see cref="RunOutcomes"/>.</param>
/// <param name="Parsed">What the body came to; null when none was read.</param>
/// <param name="Change">What replacing did; null when nothing was replaced.</param>
public sealed record RunEnd(string Outcome, string? Message, ParseResult? Parsed = null, SetChange? Change = null);

/// <summary>
/// The runs of all feeds, durable once accepted. A feed has at most one queued and one active pull; the last 100 finished runs are kept.
/// A run is queued while StartedAt is null and active until FinishedAt is set.
/// </summary>
public sealed class RunHistory(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Finished runs kept for each feed.</summary>
    public const int Kept = 100;

    /// <summary>Raised when a run was accepted, started or ended. Handlers must return at once.</summary>
    public event Action? RunChanged;

    /// <summary>Accepts a pull. When one is queued already, that one is returned: it has not begun, so it will see what this one would.</summary>
    public async Task<RunRow> EnqueueAsync(Feed feed, string trigger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await LockAsync(db, feed.Name, cancellationToken);
        RunRow? row = await db.Runs.Where(r => r.Feed == feed.Name && r.StartedAt == null && r.FinishedAt == null).OrderBy(r => r.Id).FirstOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            row = new RunRow { Feed = feed.Name, FeedUid = feed.Uid, Trigger = trigger, QueuedAt = Now };
            db.Runs.Add(row);
        }
        else
        {
            // A queued run of a feed deleted and made again serves the new one.
            row.FeedUid = feed.Uid;
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        RunChanged?.Invoke();
        return row;
    }

    /// <summary>Starts the feed's queued run; null when there is none, or when another is active.</summary>
    public async Task<RunRow?> StartNextAsync(string feed, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await LockAsync(db, feed, cancellationToken);
        List<RunRow> open = await db.Runs.Where(r => r.Feed == feed && r.FinishedAt == null).OrderBy(r => r.Id).ToListAsync(cancellationToken);
        if (open.Count == 0 || open.Exists(r => r.StartedAt != null))
        {
            return null;
        }
        RunRow row = open[0];
        row.StartedAt = Now;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        RunChanged?.Invoke();
        return row;
    }

    /// <summary>Ends an active run; a run already ended stays as it is.</summary>
    public async Task FinishAsync(long id, RunEnd end, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(end);
        using ThreatFeedsContext db = contexts.Create();
        RunRow? row = await db.Runs.FirstOrDefaultAsync(r => r.Id == id, cancellationToken);
        if (row is null || row.FinishedAt != null)
        {
            return;
        }
        Fill(row, end);
        await db.SaveChangesAsync(cancellationToken);
        await TrimAsync(db, row.Feed, cancellationToken);
        RunChanged?.Invoke();
    }

    /// <summary>Records a run that is over already, as pushes are.</summary>
    public async Task<RunRow> RecordAsync(Feed feed, string trigger, DateTimeOffset startedAt, RunEnd end, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        ArgumentNullException.ThrowIfNull(end);
        using ThreatFeedsContext db = contexts.Create();
        var row = new RunRow
        {
            Feed = feed.Name,
            FeedUid = feed.Uid,
            Trigger = trigger,
            QueuedAt = startedAt.UtcDateTime,
            StartedAt = startedAt.UtcDateTime,
        };
        Fill(row, end);
        db.Runs.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        await TrimAsync(db, row.Feed, cancellationToken);
        RunChanged?.Invoke();
        return row;
    }

    public async Task<RunRow?> FindAsync(long id, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.Runs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == id, cancellationToken);
    }

    /// <summary>The newest finished pull of this feed (not of an older one of the same name); null when there was none.</summary>
    public async Task<RunRow?> LastPullAsync(Guid feedUid, string feed, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.Runs.AsNoTracking()
            .Where(r => r.Feed == feed && r.FeedUid == feedUid && r.FinishedAt != null && r.Trigger != RunTriggers.Push)
            .OrderByDescending(r => r.Id).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>The feed's runs, newest first.</summary>
    /// <param name="after">Cursor of the page before; null for the first.</param>
    /// <param name="limit">1 to 100.</param>
    public async Task<Page<FeedRun>> ListAsync(Feed feed, string? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        limit = Math.Clamp(limit, 1, Kept);
        long before = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out long cursor) ? cursor : long.MaxValue;
        using ThreatFeedsContext db = contexts.Create();
        List<RunRow> rows = await db.Runs.AsNoTracking()
            .Where(r => r.Feed == feed.Name && r.FeedUid == feed.Uid && r.Id < before)
            .OrderByDescending(r => r.Id).Take(limit + 1).ToListAsync(cancellationToken);
        string? next = rows.Count > limit ? rows[limit - 1].Id.ToString(CultureInfo.InvariantCulture) : null;
        return new Page<FeedRun>([.. rows.Take(limit).Select(View)], next);
    }

    /// <summary>What a run refused, at most 100; empty for an unknown run.</summary>
    public async Task<IReadOnlyList<Refusal>> RefusalsAsync(long id, CancellationToken cancellationToken)
    {
        RunRow? row = await FindAsync(id, cancellationToken);
        return row is null ? [] : JsonSerializer.Deserialize<List<Refusal>>(row.Refusals, JsonSerializerOptions.Web) ?? [];
    }

    /// <summary>At start: runs that a stopped process left active go back to the queue.</summary>
    /// <returns>The feeds with a queued run.</returns>
    public async Task<IReadOnlyList<string>> RecoverAsync(CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        List<RunRow> open = await db.Runs.Where(r => r.FinishedAt == null).OrderBy(r => r.Id).ToListAsync(cancellationToken);
        foreach (IGrouping<string, RunRow> feed in open.GroupBy(r => r.Feed, StringComparer.Ordinal))
        {
            // One queued run is enough: it does what the interrupted one did not end.
            RunRow first = feed.First();
            first.StartedAt = null;
            db.Runs.RemoveRange(feed.Skip(1));
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return [.. open.Select(r => r.Feed).Distinct(StringComparer.Ordinal)];
    }

    public static FeedRun View(RunRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new FeedRun(row.Id.ToString(CultureInfo.InvariantCulture), row.Feed, row.Trigger, Utc(row.StartedAt), Utc(row.FinishedAt), row.Outcome,
            row.Accepted, row.Added, row.Removed, row.Skipped, row.Refused, row.Message);
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private static DateTimeOffset? Utc(DateTime? value) => value is null ? null : new DateTimeOffset(DateTime.SpecifyKind(value.Value, DateTimeKind.Utc));

    private void Fill(RunRow row, RunEnd end)
    {
        Meters.Runs.Add(1, new KeyValuePair<string, object?>("outcome", end.Outcome));
        row.FinishedAt = Now;
        row.Outcome = end.Outcome;
        row.Message = end.Message;
        row.Accepted = end.Parsed?.Accepted ?? 0;
        row.Skipped = end.Parsed?.Skipped ?? 0;
        row.Refused = end.Parsed?.RefusedCount ?? 0;
        row.Refusals = end.Parsed is null ? "[]" : JsonSerializer.Serialize(end.Parsed.Refusals, JsonSerializerOptions.Web);
        row.Added = end.Change?.Added ?? 0;
        row.Removed = end.Change?.Removed ?? 0;
    }

    private static async Task TrimAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken)
    {
        long oldest = await db.Runs.Where(r => r.Feed == feed && r.FinishedAt != null).OrderByDescending(r => r.Id).Skip(Kept - 1).Select(r => r.Id).FirstOrDefaultAsync(cancellationToken);
        if (oldest > 0)
        {
            await db.Runs.Where(r => r.Feed == feed && r.FinishedAt != null && r.Id < oldest).ExecuteDeleteAsync(cancellationToken);
        }
    }

    /// <summary>SQLite's write transactions exclude each other by themselves; on PostgreSQL the feed's name is locked, since there may be no row yet.</summary>
    private static async Task<IDbContextTransaction> LockAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken)
    {
        IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (db.LocksRows)
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({feed}, 0))", cancellationToken);
        }
        return transaction;
    }
}
