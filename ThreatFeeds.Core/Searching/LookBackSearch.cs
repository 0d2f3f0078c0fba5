using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Searching;

/// <summary>
/// Kept records against what a change added, by the protocol of docs/protocol.md. Look-backs of one source that have come equally far are
/// searched in one pass, the furthest first: a pass that has begun comes to its end whatever changes meanwhile, and what came meanwhile is one pass after it.
/// A value hits when an added entry covers it and the newest snapshot still lists it.
/// </summary>
public sealed class LookBackSearch(IContextFactory contexts, ILogStore logs, RecordDecoder decoder, LookBackTargets targets, HitCommit commit)
{
    internal SearchWindow Window { get; init; } = new(50_000, 10_000);

    /// <summary>Raised after hits were written or a look-back moved. Handlers must return at once.</summary>
    public event Action? Moved;

    /// <summary>Makes one step on a source.</summary>
    public async Task<StepResult> StepAsync(LogSource source, CancellationToken cancellationToken)
    {
        List<LookBackRow> open = await OpenAsync(source, cancellationToken);
        if (open.Count == 0)
        {
            targets.Drop(source.Id);
            return StepResult.Idle;
        }
        return await Work.LookBackStep.RunAsync(span =>
        {
            span.Tell("source", source.Name);
            span.Tell("source.id", source.Id);
            return SearchAsync(source, open, span, cancellationToken);
        });
    }

    private async Task<StepResult> SearchAsync(LogSource source, List<LookBackRow> open, WorkSpan span, CancellationToken cancellationToken)
    {
        var done = new Position(open[0].DoneSegment, open[0].DoneOrdinal);
        List<LookBackRow> group = [.. open.Where(l => l.DoneSegment == done.Segment && l.DoneOrdinal == done.Ordinal)];
        Position upto = group.Min(l => new Position(l.UptoSegment, l.UptoOrdinal));
        span.Tell("look_backs", group.Count);

        (Snapshot snapshot, IndicatorIndex? added) = await targets.OfAsync(source.Id, [.. group.Select(l => l.Generation)], cancellationToken);
        span.Tell("generation", snapshot.Generation);
        var search = new ValueSearch(snapshot.Index, added);
        // Nothing of it is listed any more: what is listed again later makes a change of its own.
        Position next = added is null ? upto : await search.RunAsync(logs, source, done, upto, Window, cancellationToken);
        DecodedHits decoded = await decoder.DecodeAsync(source, search.Found, search.Unread, Window.Bytes, cancellationToken);
        span.Tell("records", search.Records);
        span.Tell("hits", decoded.Hits.Count);
        StepResult result = await CommitAsync(group, done, decoded.To ?? next, decoded, cancellationToken);
        span.Ended(Word.Of(result));
        return result;
    }

    private async Task<List<LookBackRow>> OpenAsync(LogSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.LookBacks.AsNoTracking().Where(l => l.Source == source.Id)
            .OrderByDescending(l => l.DoneSegment).ThenByDescending(l => l.DoneOrdinal).ThenBy(l => l.Generation).ToListAsync(cancellationToken);
    }

    private async Task<StepResult> CommitAsync(List<LookBackRow> group, Position done, Position next, DecodedHits found, CancellationToken cancellationToken)
    {
        if (await commit.CommitAsync(found.Hits, found.Unreadable, MoveAsync, cancellationToken) is not { } fresh)
        {
            return StepResult.Lost;
        }
        Meters.Hits.Add(fresh.Count);
        Moved?.Invoke();
        return StepResult.Moved;

        async Task<bool> MoveAsync(ThreatFeedsContext db)
        {
            foreach (LookBackRow row in group)
            {
                IQueryable<LookBackRow> mine = db.LookBacks.Where(l => l.Generation == row.Generation && l.Source == row.Source && l.DoneSegment == done.Segment && l.DoneOrdinal == done.Ordinal);
                int moved = next >= new Position(row.UptoSegment, row.UptoOrdinal)
                    ? await mine.ExecuteDeleteAsync(cancellationToken)
                    : await mine.ExecuteUpdateAsync(u => u.SetProperty(l => l.DoneSegment, next.Segment).SetProperty(l => l.DoneOrdinal, next.Ordinal), cancellationToken);
                if (moved == 0)
                {
                    return false;
                }
            }
            return true;
        }
    }

    /// <summary>Nobody works on the source now: what was kept for its next window goes.</summary>
    internal void Rest(string source) => targets.Drop(source);
}
