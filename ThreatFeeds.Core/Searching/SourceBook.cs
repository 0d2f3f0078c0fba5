using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <summary>
/// Knows which sources there are. One that nobody has had for long is gone: its progress and its look-backs are closed and remembered as such, so that they
/// hold back neither sweeping nor rest. Times are the database's, since several processes may have sources on it.
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
        // One that comes back is not gone; what it has is searched from the beginning.
        await db.GoneSources.Where(g => ids.Contains(g.Source)).ExecuteDeleteAsync(cancellationToken);
        await db.Progress.Where(p => ids.Contains(p.Source)).ExecuteUpdateAsync(u => u.SetProperty(p => p.SeenAt, now), cancellationToken);
        DateTime limit = now - GoneAfter;
        List<ProgressRow> gone = await db.Progress.AsNoTracking().Where(p => p.SeenAt < limit && !ids.Contains(p.Source)).ToListAsync(cancellationToken);
        foreach (ProgressRow row in gone)
        {
            await CloseAsync(db, row, now, cancellationToken);
        }
        _seen = [.. ids];
        _noted = time.GetTimestamp();
        return [.. gone.Select(g => g.Source)];
    }

    private static async Task CloseAsync(ThreatFeedsContext db, ProgressRow row, DateTime now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Progress.Where(p => p.Source == row.Source && p.SeenAt == row.SeenAt).ExecuteDeleteAsync(cancellationToken) == 0)
        {
            return;
        }
        await db.LookBacks.Where(l => l.Source == row.Source).ExecuteDeleteAsync(cancellationToken);
        await db.InsertManyAsync("gone_sources", ["Source", "Kind", "GoneAt"], [[row.Source, Word.Of(row.Kind), now]], """ON CONFLICT ("Source") DO UPDATE SET "GoneAt" = excluded."GoneAt" """, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
