using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Logs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>
/// Kept records against what a change added, by the protocol of design §5. Look-backs of one source that have come equally far are
/// searched in one pass. A value hits when an added entry covers it and the newest snapshot still lists it.
/// </summary>
public sealed class LookBackSearch(IContextFactory contexts, ILogStore logs, LogReaders readers, SearchedSets sets, HitWriter writer)
{
    /// <summary>Records in a step.</summary>
    internal int WindowRecords { get; init; } = 50_000;

    /// <summary>A window ends early at this many hits.</summary>
    internal int WindowHits { get; init; } = 10_000;

    /// <summary>Raised after hits were written or a look-back moved. Handlers must return at once.</summary>
    public event Action? Moved;

    /// <summary>Makes one step on a source.</summary>
    public async Task<StepResult> StepAsync(LogSource source, CancellationToken cancellationToken)
    {
        List<LookBackRow> open = await OpenAsync(source, cancellationToken);
        if (open.Count == 0)
        {
            return StepResult.Idle;
        }
        var done = new Position(open[0].DoneSegment, open[0].DoneOrdinal);
        List<LookBackRow> group = [.. open.Where(l => l.DoneSegment == done.Segment && l.DoneOrdinal == done.Ordinal)];
        Position upto = group.Min(l => new Position(l.UptoSegment, l.UptoOrdinal));

        Snapshot snapshot = await sets.Snapshots.RefreshAsync(cancellationToken);
        IndicatorIndex? added = await sets.AddedAsync([.. group.Select(l => l.Generation)], cancellationToken);
        var finder = new HitFinder(source, readers, snapshot.Index, added);
        // Nothing of it is listed any more: what is listed again later makes a change of its own.
        Position next = added is null ? upto : await logs.ReadAsync(source, done, upto, record =>
        {
            finder.Compare(record);
            return finder.Records < WindowRecords && finder.Hits.Count < WindowHits;
        }, cancellationToken);
        return await CommitAsync(group, done, next, finder.Hits, cancellationToken);
    }

    private async Task<List<LookBackRow>> OpenAsync(LogSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.LookBacks.AsNoTracking().Where(l => l.Source == source.Id)
            .OrderBy(l => l.DoneSegment).ThenBy(l => l.DoneOrdinal).ThenBy(l => l.Generation).ToListAsync(cancellationToken);
    }

    private async Task<StepResult> CommitAsync(List<LookBackRow> group, Position done, Position next, List<FoundHit> hits, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        foreach (LookBackRow row in group)
        {
            IQueryable<LookBackRow> mine = db.LookBacks.Where(l => l.Generation == row.Generation && l.Source == row.Source && l.DoneSegment == done.Segment && l.DoneOrdinal == done.Ordinal);
            int moved = next >= new Position(row.UptoSegment, row.UptoOrdinal)
                ? await mine.ExecuteDeleteAsync(cancellationToken)
                : await mine.ExecuteUpdateAsync(u => u.SetProperty(l => l.DoneSegment, next.Segment).SetProperty(l => l.DoneOrdinal, next.Ordinal), cancellationToken);
            if (moved == 0)
            {
                return StepResult.Lost;
            }
        }
        await writer.WriteAsync(db, hits, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Moved?.Invoke();
        return StepResult.Moved;
    }
}

/// <summary>The indicators searches compare with: the newest snapshot, and what changes added.</summary>
public sealed class SearchedSets(IContextFactory contexts, SetFiles files, Snapshots snapshots)
{
    private (long[] Generations, IndicatorIndex? Index) _last = ([], null);

    public Snapshots Snapshots => snapshots;

    /// <summary>An index of the entries these changes added, or null when none of their feeds is listed any more. The last one is kept for the next window.</summary>
    internal async Task<IndicatorIndex?> AddedAsync(long[] generations, CancellationToken cancellationToken)
    {
        (long[] Generations, IndicatorIndex? Index) last = _last;
        if (last.Index is not null && last.Generations.AsSpan().SequenceEqual(generations))
        {
            return last.Index;
        }
        await using ThreatFeedsContext db = contexts.Create();
        var changes = await (from c in db.ListingChanges
                             join l in db.Listings on c.ListingId equals l.Id
                             where generations.Contains(c.Generation) && c.AddedSetId != null && l.Enabled
                             select new { l.Feed, l.MatchSubdomains, Set = c.AddedSetId!.Value }).ToListAsync(cancellationToken);
        var feeds = new List<IndexedFeed>();
        foreach (var change in changes)
        {
            if (await files.ReadAsync(change.Set, cancellationToken) is { } set)
            {
                feeds.Add(new IndexedFeed(change.Feed, set.Set, change.MatchSubdomains));
            }
        }
        IndicatorIndex? index = feeds.Count == 0 ? null : IndicatorIndex.Build(feeds);
        _last = (generations, index);
        return index;
    }
}
