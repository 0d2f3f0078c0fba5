using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

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
    /// <summary>All records are compared, and what is listed has changed since: the step goes on once somebody has built the newest snapshot.</summary>
    Waiting,
}

/// <summary>
/// New records against all indicators, by the protocol of docs/protocol.md. One step reads a window after the mark, and in one transaction
/// moves mark and generation (compare-and-set), opens look-backs for what was added since, and writes the hits.
/// </summary>
public sealed class ForwardSearch(IContextFactory contexts, ILogStore logs, RecordDecoder decoder, Snapshots snapshots, HitCommit commit)
{
    internal SearchWindow Window { get; init; } = new(20_000, 10_000);

    /// <summary>Raised after hits were written. Handlers must return at once.</summary>
    public event Action? HitsWritten;

    /// <summary>Raised with the source's id after look-backs were opened. Handlers must return at once.</summary>
    public event Action<string>? LookBackOpened;

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
        // A source that nobody has searched yet, here or since it was closed, held no change of lists back: those that an older snapshot lacks may be forgotten by now.
        if (snapshot.Generation < progress.Generation || snapshot.Generation == 0 || (progress.Generation == 0 && snapshot.Generation < newest))
        {
            snapshot = await snapshots.RefreshAsync(cancellationToken);
        }
        if (head <= mark && snapshot.Generation == progress.Generation)
        {
            // Not built here: what arrives meanwhile is compared with the older one at once.
            return snapshot.Generation < newest ? StepResult.Waiting : StepResult.Idle;
        }

        return await Work.SearchStep.RunAsync(span =>
        {
            span.Tell("source", source.Name);
            span.Tell("source.id", source.Id);
            span.Tell("generation", snapshot.Generation);
            return SearchAsync(source, progress, head, snapshot, span, cancellationToken);
        });
    }

    private async Task<StepResult> SearchAsync(LogSource source, ProgressRow progress, Position head, Snapshot snapshot, WorkSpan span, CancellationToken cancellationToken)
    {
        var mark = new Position(progress.MarkSegment, progress.MarkOrdinal);
        var search = new ValueSearch(snapshot.Index, only: null);
        Position to = head <= mark ? mark : await search.RunAsync(logs, source, mark, head, Window, cancellationToken);
        DecodedHits decoded = await decoder.DecodeAsync(source, search.Found, search.Unread, Window.Bytes, cancellationToken);
        to = decoded.To ?? to;
        RangeCount passed = decoded.To is null ? default : await logs.CountAsync(source, mark, to, cancellationToken);
        StepResult result = await CommitAsync(source, progress, to, snapshot.Generation, decoded, cancellationToken);
        long compared = decoded.To is null ? search.Records : passed.Records;
        span.Tell("records", compared);
        span.Tell("hits", decoded.Hits.Count);
        span.Ended(Word.Of(result));
        if (result == StepResult.Moved)
        {
            Meters.RecordsSearched.Add(compared);
            Compared?.Invoke(compared, decoded.Hits);
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
        await db.InsertManyAsync("progress", ["Source", "Kind", "MarkSegment", "MarkOrdinal", "Generation", "SeenAt"],
            [[source.Id, Word.Of(source.Kind), 0L, 0L, 0L, await db.NowAsync(cancellationToken)]], "ON CONFLICT DO NOTHING", cancellationToken);
        return await db.Progress.AsNoTracking().FirstAsync(p => p.Source == source.Id, cancellationToken);
    }

    private async Task<StepResult> CommitAsync(
        LogSource source, ProgressRow was, Position to, long generation, DecodedHits found, CancellationToken cancellationToken)
    {
        var mark = new Position(was.MarkSegment, was.MarkOrdinal);
        bool opened = false;
        if (await commit.CommitAsync(found.Hits, found.Unreadable, MoveAsync, cancellationToken) is not { } written)
        {
            return StepResult.Lost;
        }
        Meters.Hits.Add(written.Count);
        commit.MeasureDelay(written);
        if (written.Count > 0)
        {
            HitsWritten?.Invoke();
        }
        if (opened)
        {
            LookBackOpened?.Invoke(source.Id);
        }
        return StepResult.Moved;

        async Task<bool> MoveAsync(ThreatFeedsContext db)
        {
            int moved = await db.Progress
                .Where(p => p.Source == source.Id && p.MarkSegment == mark.Segment && p.MarkOrdinal == mark.Ordinal && p.Generation == was.Generation)
                .ExecuteUpdateAsync(u => u.SetProperty(p => p.MarkSegment, to.Segment).SetProperty(p => p.MarkOrdinal, to.Ordinal).SetProperty(p => p.Generation, generation), cancellationToken);
            if (moved == 0)
            {
                return false;
            }
            if (mark > Position.BeforeAll)
            {
                List<long> added = await db.ListingChanges.Where(c => c.Generation > was.Generation && c.Generation <= generation && c.AddedSetId != null)
                    .Select(c => c.Generation).ToListAsync(cancellationToken);
                db.LookBacks.AddRange(added.Select(g => new LookBackRow { Generation = g, Source = source.Id, UptoSegment = mark.Segment, UptoOrdinal = mark.Ordinal }));
                await db.SaveChangesAsync(cancellationToken);
                opened = added.Count > 0;
            }
            return true;
        }
    }
}
