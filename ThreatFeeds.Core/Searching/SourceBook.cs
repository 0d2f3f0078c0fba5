using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <summary>
/// Knows which sources there are. One that nobody has had for long is gone: its progress and its look-backs are closed and remembered as such, so that they
/// hold back neither sweeping nor rest. Its row stays for as long as it is remembered, so that its positions are not given a second time. Times are the database's,
/// since several processes may have sources on it.
/// </summary>
public sealed class SourceBook(IContextFactory contexts, TimeProvider time)
{
    /// <summary>A source not seen for this long is gone.</summary>
    public static readonly TimeSpan GoneAfter = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(1);

    private long? _noted;
    private HashSet<string> _seen = [];

    /// <summary>Notes the sources there are now, at most once a minute unless they changed, and closes those that are gone.</summary>
    /// <returns>The sources closed.</returns>
    public async Task<IReadOnlyList<string>> SeeAsync(IReadOnlyList<LogSource> sources, CancellationToken cancellationToken)
    {
        string[] ids = [.. sources.Select(s => s.Id)];
        if (_noted is { } at && time.GetElapsedTime(at) < NoteEvery && _seen.SetEquals(ids))
        {
            return [];
        }
        await using ThreatFeedsContext db = contexts.Create();
        DateTime now = await db.NowAsync(cancellationToken);
        await ReopenAsync(db, ids, cancellationToken);
        await db.Progress.Where(p => ids.Contains(p.Source)).ExecuteUpdateAsync(u => u.SetProperty(p => p.SeenAt, now), cancellationToken);
        DateTime limit = now - GoneAfter;
        List<ProgressRow> gone = await db.ProgressHere.AsNoTracking().Where(p => p.SeenAt < limit && !ids.Contains(p.Source)).ToListAsync(cancellationToken);
        foreach (ProgressRow row in gone)
        {
            await CloseAsync(db, row, now, cancellationToken);
        }
        _seen = [.. ids];
        _noted = time.GetTimestamp();
        return [.. gone.Select(g => g.Source)];
    }

    /// <summary>
    /// One that comes back is not gone. It goes on from its mark when nothing was missed: no change of lists since, no look-back left undone. Else it is searched from the
    /// beginning: the changes it missed may be forgotten by now. What is found a second time is known.
    /// </summary>
    private static async Task ReopenAsync(ThreatFeedsContext db, string[] ids, CancellationToken cancellationToken)
    {
        string[] back = await db.GoneSources.Where(g => ids.Contains(g.Source)).Select(g => g.Source).ToArrayAsync(cancellationToken);
        if (back.Length == 0)
        {
            return;
        }
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Locks the counter: a change that came now could be swept before this source is seen to need it.
        long newest = await db.AddAsync(Counters.Generation, 0, cancellationToken);
        await db.Progress.Where(p => back.Contains(p.Source) && p.Generation != newest)
            .ExecuteUpdateAsync(u => u.SetProperty(p => p.MarkSegment, 0).SetProperty(p => p.MarkOrdinal, 0).SetProperty(p => p.Generation, 0), cancellationToken);
        await db.GoneSources.Where(g => back.Contains(g.Source)).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task CloseAsync(ThreatFeedsContext db, ProgressRow row, DateTime now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Also a lock: whoever sees it meanwhile waits, or has changed it.
        if (await db.Progress.Where(p => p.Source == row.Source && p.SeenAt == row.SeenAt).ExecuteUpdateAsync(u => u.SetProperty(p => p.SeenAt, row.SeenAt), cancellationToken) == 0)
        {
            return;
        }
        if (await db.LookBacks.Where(l => l.Source == row.Source).ExecuteDeleteAsync(cancellationToken) > 0)
        {
            // No generation: what these had left is missed.
            await db.Progress.Where(p => p.Source == row.Source).ExecuteUpdateAsync(u => u.SetProperty(p => p.Generation, 0), cancellationToken);
        }
        await db.InsertManyAsync("gone_sources", ["Source", "Kind", "GoneAt"], [[row.Source, Word.Of(row.Kind), now]], """ON CONFLICT ("Source") DO UPDATE SET "GoneAt" = excluded."GoneAt" """, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
