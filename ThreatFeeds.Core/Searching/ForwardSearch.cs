using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Searching;

/// <summary>What a step did.</summary>
public enum StepResult
{
    /// <summary>Nothing was left to do.</summary>
    Idle,
    /// <summary>Progress was made; there may be more.</summary>
    Moved,
    /// <summary>Another searcher moved first; its work stands and this one's was dropped.</summary>
    Lost,
}

/// <summary>
/// New records against all indicators, by the protocol of design §5. One step reads a window after the mark, and in one transaction
/// moves mark and generation (compare-and-set), opens look-backs for what was added since, and writes the hits.
/// </summary>
public sealed class ForwardSearch(IContextFactory contexts, ILogStore logs, LogReaders readers, Snapshots snapshots, HitWriter writer)
{
    /// <summary>Records in a step: enough to spread the cost of a commit, few enough for an alert to be quick.</summary>
    internal int WindowRecords { get; init; } = 20_000;

    /// <summary>A window ends early at this many hits, so that a hit storm commits in pieces.</summary>
    internal int WindowHits { get; init; } = 10_000;

    /// <summary>Raised after hits were written. Handlers must return at once.</summary>
    public event Action? HitsWritten;

    /// <summary>Raised after a step with the records it compared and the hits it wrote. Handlers must return at once.</summary>
    public event Action<long, IReadOnlyList<FoundHit>>? Compared;

    /// <summary>Makes one step on a source.</summary>
    public async Task<StepResult> StepAsync(LogSource source, CancellationToken cancellationToken)
    {
        ProgressRow progress = await ProgressAsync(source, cancellationToken);
        var mark = new Position(progress.MarkSegment, progress.MarkOrdinal);

        // The head is read before the generation: what arrives later is searched later, with at least this snapshot.
        Position head = await logs.HeadAsync(source, cancellationToken);
        long newest = await snapshots.NewestGenerationAsync(cancellationToken);
        Snapshot snapshot = snapshots.Current;
        if (snapshot.Generation < progress.Generation || (head <= mark && snapshot.Generation < newest) || snapshot.Generation == 0)
        {
            snapshot = await snapshots.RefreshAsync(cancellationToken);
        }
        if (head <= mark && snapshot.Generation == progress.Generation)
        {
            return StepResult.Idle;
        }

        var finder = new HitFinder(source, readers, snapshot.Index, only: null);
        Position to = head <= mark ? mark : await logs.ReadAsync(source, mark, head, record =>
        {
            finder.Compare(record);
            return finder.Records < WindowRecords && finder.Hits.Count < WindowHits;
        }, cancellationToken);
        Meters.RecordsSearched.Add(finder.Records);
        StepResult result = await CommitAsync(source, progress, mark, to, snapshot.Generation, finder.Hits, cancellationToken);
        if (result == StepResult.Moved)
        {
            Compared?.Invoke(finder.Records, finder.Hits);
        }
        return result;
    }

    /// <summary>The source's progress; a source first seen starts before all.</summary>
    private async Task<ProgressRow> ProgressAsync(LogSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (await db.Progress.AsNoTracking().FirstOrDefaultAsync(p => p.Source == source.Id, cancellationToken) is { } known)
        {
            return known;
        }
        string kind = source.Kind == LogKind.Dns ? "dns" : "flow";
        await db.InsertManyAsync("progress", ["Source", "Kind", "MarkSegment", "MarkOrdinal", "Generation"], [[source.Id, kind, 0L, 0L, 0L]], "ON CONFLICT DO NOTHING", cancellationToken);
        return await db.Progress.AsNoTracking().FirstAsync(p => p.Source == source.Id, cancellationToken);
    }

    private async Task<StepResult> CommitAsync(
        LogSource source, ProgressRow was, Position mark, Position to, long generation, List<FoundHit> hits, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        int moved = await db.Progress
            .Where(p => p.Source == source.Id && p.MarkSegment == mark.Segment && p.MarkOrdinal == mark.Ordinal && p.Generation == was.Generation)
            .ExecuteUpdateAsync(u => u.SetProperty(p => p.MarkSegment, to.Segment).SetProperty(p => p.MarkOrdinal, to.Ordinal).SetProperty(p => p.Generation, generation), cancellationToken);
        if (moved == 0)
        {
            return StepResult.Lost;
        }
        if (mark > Position.BeforeAll)
        {
            List<long> added = await db.ListingChanges.Where(c => c.Generation > was.Generation && c.Generation <= generation && c.AddedSetId != null)
                .Select(c => c.Generation).ToListAsync(cancellationToken);
            db.LookBacks.AddRange(added.Select(g => new LookBackRow { Generation = g, Source = source.Id, UptoSegment = mark.Segment, UptoOrdinal = mark.Ordinal }));
            await db.SaveChangesAsync(cancellationToken);
        }
        int fresh = await writer.WriteAsync(db, hits, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Meters.Hits.Add(fresh);
        if (fresh > 0)
        {
            HitsWritten?.Invoke();
        }
        return StepResult.Moved;
    }
}
