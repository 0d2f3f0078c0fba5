using System.Linq.Expressions;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Actors;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Runs;

/// <summary>
/// The queue of runs, durable once accepted. A feed has at most one queued and one active pull. A run is taken under a lease: its owner renews it while it
/// works; when the lease is over, because the owner died or could not write, anybody takes the run over. A run that cannot be ended therefore never blocks its feed.
/// </summary>
public sealed class RunQueue(IContextFactory contexts, InstanceId instance, TimeProvider time)
{
    /// <summary>How long a lease holds when its owner is silent.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    /// <summary>Raised with the feed's name after a run was queued. Handlers must return at once.</summary>
    public event Action<string>? Queued;

    /// <summary>Raised when a run was accepted, started or ended. Handlers must return at once.</summary>
    public event Action? RunChanged;

    /// <summary>Call after the transaction of <see cref="EnqueueAsync(ThreatFeedsContext, Feed, RunTrigger, Actor, CancellationToken)"/> committed.</summary>
    public void Woken(string feed)
    {
        Queued?.Invoke(feed);
        RunChanged?.Invoke();
    }

    /// <summary>Accepts a pull in a transaction of its own and wakes whoever carries it out.</summary>
    public async Task<RunRow> EnqueueAsync(Feed feed, RunTrigger trigger, Actor actor, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        RunRow row = await EnqueueAsync(db, feed, trigger, actor, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Woken(feed.Name);
        return row;
    }

    /// <summary>Accepts a pull in the caller's transaction. When one is queued already, that one is returned: it has not begun, so it will see what this one would.</summary>
    public async Task<RunRow> EnqueueAsync(ThreatFeedsContext db, Feed feed, RunTrigger trigger, Actor actor, CancellationToken cancellationToken)
    {
        await LockAsync(db, feed.Name, cancellationToken);
        RunRow? row = await db.Runs.Where(r => r.Feed == feed.Name && r.StartedAt == null && r.FinishedAt == null).OrderBy(r => r.Id).FirstOrDefaultAsync(cancellationToken);
        if (row is null)
        {
            row = new RunRow { Feed = feed.Name, FeedUid = feed.Uid, Trigger = trigger, Actor = actor.Name, QueuedAt = Now };
            db.Runs.Add(row);
        }
        else if (trigger == RunTrigger.Change)
        {
            // A queued run of a feed deleted and made again serves the new one. Only the change itself knows which that is: others read the feed before.
            row.FeedUid = feed.Uid;
        }
        await db.SaveChangesAsync(cancellationToken);
        return row;
    }

    /// <summary>Takes the feed's queued run under a lease; null when there is none, or when another is active.</summary>
    public async Task<RunRow?> StartNextAsync(string feed, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await LockAsync(db, feed, cancellationToken);
        List<RunRow> open = await db.Runs.Where(r => r.Feed == feed && r.FinishedAt == null).OrderBy(r => r.Id).ToListAsync(cancellationToken);
        if (open.Count == 0 || open.Exists(r => r.StartedAt != null))
        {
            return null;
        }
        RunRow row = open[0];
        row.StartedAt = Now;
        // Of each taking its own: the same process may lose a run and take it again while the first work on it still goes on.
        row.LeaseOwner = Prefix + Guid.NewGuid().ToString("N");
        row.LeaseUntil = await db.NowAsync(cancellationToken) + LeaseTime;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        RunChanged?.Invoke();
        return row;
    }

    /// <summary>Prolongs the lease. False when it is no longer ours: somebody else does the run, and what we do of it must not be written down.</summary>
    /// <param name="taken">As <see cref="StartNextAsync"/> gave it.</param>
    public async Task<bool> RenewAsync(RunRow taken, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        DateTime until = await db.NowAsync(cancellationToken) + LeaseTime;
        return await db.Runs.Where(r => r.Id == taken.Id && r.FinishedAt == null && r.LeaseOwner == taken.LeaseOwner)
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, until), cancellationToken) == 1;
    }

    /// <summary>Ends an active run that is ours; one that ended already, or that somebody took over, stays as it is.</summary>
    /// <param name="taken">As <see cref="StartNextAsync"/> gave it.</param>
    /// <param name="along">What else is written when the run is still ours, in the same transaction.</param>
    /// <returns>False when it is not ours; nothing is written then.</returns>
    public async Task<bool> FinishAsync(RunRow taken, RunEnd end, CancellationToken cancellationToken, Func<ThreatFeedsContext, CancellationToken, Task>? along = null)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // First, and undone when the run is not ours: changes of feeds lock what this writes before they lock runs.
        await (along?.Invoke(db, cancellationToken) ?? Task.CompletedTask);
        // The condition is part of the write: between looking and writing another may take the run over.
        int ours = await db.Runs.Where(r => r.Id == taken.Id && r.FinishedAt == null && r.LeaseOwner == taken.LeaseOwner)
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseOwner, (string?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null), cancellationToken);
        if (ours == 0)
        {
            return false;
        }
        RunRow row = await db.Runs.FirstAsync(r => r.Id == taken.Id, cancellationToken);
        Fill(row, end);
        await db.SaveChangesAsync(cancellationToken);
        await TrimAsync(db, row.Feed, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Ended(end);
        return true;
    }

    /// <summary>Records a run that is over already, as pushes are.</summary>
    public async Task<RunRow> RecordAsync(Feed feed, RunTrigger trigger, Actor actor, DateTimeOffset startedAt, RunEnd end, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var row = new RunRow
        {
            Feed = feed.Name,
            FeedUid = feed.Uid,
            Trigger = trigger,
            Actor = actor.Name,
            QueuedAt = startedAt.UtcDateTime,
            StartedAt = startedAt.UtcDateTime,
        };
        Fill(row, end);
        db.Runs.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        await TrimAsync(db, row.Feed, cancellationToken);
        Ended(end);
        return row;
    }

    /// <summary>Feeds with a run that nobody has begun.</summary>
    public async Task<IReadOnlyList<string>> QueuedFeedsAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.Runs.Where(r => r.StartedAt == null && r.FinishedAt == null).Select(r => r.Feed).Distinct().ToListAsync(cancellationToken);
    }

    /// <summary>Forgets the finished runs of feeds that are gone: nobody can ask for them, and another feed of the name is not to have them.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ForgetGoneAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.Runs.Where(r => r.FinishedAt != null && !db.Listings.Any(l => l.FeedUid == r.FeedUid)).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>At start: what this instance had begun when it stopped goes back to the queue at once, without waiting for its lease.</summary>
    /// <returns>The feeds concerned.</returns>
    public Task<IReadOnlyList<string>> TakeBackAsync(CancellationToken cancellationToken) =>
        // A run without a lease was begun by a version that had none, one with the bare id by one that did not tell its takings apart.
        RequeueAsync(_ => r => r.LeaseOwner == null || r.LeaseOwner == instance.Value || r.LeaseOwner.StartsWith(Prefix), cancellationToken);

    /// <summary>Runs whose lease is over go back to the queue, whoever had them.</summary>
    /// <returns>The feeds concerned.</returns>
    public Task<IReadOnlyList<string>> TakeOverAsync(CancellationToken cancellationToken) => RequeueAsync(now => r => r.LeaseUntil < now, cancellationToken);

    /// <summary>A run that its owner could not end goes back to the queue without waiting for its lease.</summary>
    /// <param name="taken">As <see cref="StartNextAsync"/> gave it.</param>
    /// <returns>False when it was ended, or is another's by now.</returns>
    public async Task<bool> GiveBackAsync(RunRow taken, CancellationToken cancellationToken) =>
        (await RequeueAsync(_ => r => r.Id == taken.Id && r.LeaseOwner == taken.LeaseOwner, cancellationToken)).Count > 0;

    /// <param name="which">Of the active runs, at that time of the database's clock.</param>
    private async Task<IReadOnlyList<string>> RequeueAsync(Func<DateTime, Expression<Func<RunRow, bool>>> which, CancellationToken cancellationToken)
    {
        List<long> stale;
        await using (ThreatFeedsContext look = contexts.Create())
        {
            stale = await look.Runs.Where(r => r.StartedAt != null && r.FinishedAt == null).Where(which(await look.NowAsync(cancellationToken)))
                .Select(r => r.Id).ToListAsync(cancellationToken);
        }
        var feeds = new List<string>();
        foreach (long id in stale)
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            string? feed = await db.Runs.Where(r => r.Id == id).Select(r => r.Feed).FirstOrDefaultAsync(cancellationToken);
            if (feed is null)
            {
                continue;
            }
            await LockAsync(db, feed, cancellationToken);
            int moved = await db.Runs.Where(r => r.Id == id && r.StartedAt != null && r.FinishedAt == null).Where(which(await db.NowAsync(cancellationToken)))
                .ExecuteUpdateAsync(u => u.SetProperty(r => r.StartedAt, (DateTime?)null).SetProperty(r => r.LeaseOwner, (string?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null), cancellationToken);
            if (moved == 1)
            {
                // One queued run is enough: it does what the interrupted one did not end, for the feed that the newer was queued for.
                IQueryable<RunRow> newer = db.Runs.Where(r => r.Feed == feed && r.Id != id && r.StartedAt == null && r.FinishedAt == null);
                if (await newer.Select(r => (Guid?)r.FeedUid).FirstOrDefaultAsync(cancellationToken) is { } uid)
                {
                    await db.Runs.Where(r => r.Id == id).ExecuteUpdateAsync(u => u.SetProperty(r => r.FeedUid, uid), cancellationToken);
                    await newer.ExecuteDeleteAsync(cancellationToken);
                }
                await transaction.CommitAsync(cancellationToken);
                feeds.Add(feed);
            }
        }
        foreach (string feed in feeds)
        {
            Woken(feed);
        }
        return feeds;
    }

    /// <summary>Begins the owner of every lease of this instance.</summary>
    private string Prefix { get; } = instance.Value + "/";

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private void Ended(RunEnd end)
    {
        Meters.Runs.Add(1, new KeyValuePair<string, object?>("outcome", Word.Of(end.Outcome)));
        RunChanged?.Invoke();
    }

    private void Fill(RunRow row, RunEnd end)
    {
        row.FinishedAt = Now;
        row.Outcome = end.Outcome;
        row.Message = end.Message is null ? null : VisibleText.Of(end.Message, VisibleText.Message);
        row.Accepted = end.Parsed?.Accepted ?? 0;
        row.Skipped = end.Parsed?.Skipped ?? 0;
        row.Refused = end.Parsed?.RefusedCount ?? 0;
        row.Refusals = end.Parsed is null ? "[]" : JsonSerializer.Serialize(end.Parsed.Refusals, JsonSerializerOptions.Web);
        row.Added = end.Change?.Added ?? 0;
        row.Removed = end.Change?.Removed ?? 0;
    }

    private static async Task TrimAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken)
    {
        long oldest = await db.Runs.Where(r => r.Feed == feed && r.FinishedAt != null).OrderByDescending(r => r.Id).Skip(RunHistory.Kept - 1).Select(r => r.Id).FirstOrDefaultAsync(cancellationToken);
        if (oldest > 0)
        {
            await db.Runs.Where(r => r.Feed == feed && r.FinishedAt != null && r.Id < oldest).ExecuteDeleteAsync(cancellationToken);
        }
    }

    /// <summary>SQLite's write transactions exclude each other by themselves; on PostgreSQL the feed's name is locked, since there may be no row yet.</summary>
    private static Task LockAsync(ThreatFeedsContext db, string feed, CancellationToken cancellationToken) => db.LocksRows
        ? db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({feed}, 0))", cancellationToken)
        : Task.CompletedTask;
}
