using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Alerts;

/// <summary>A record that hit and cannot become an alert, or that could not be searched whole.</summary>
public sealed record UnwritableRecord(LogSource Source, Position Position, string Reason);

/// <summary>
/// Commits what a step of a search found together with its progress. One record never stops a search: hits that the database refuses for what they are (not
/// because it is away) are found by halving, set aside with their reason in the same transaction, and passed.
/// </summary>
public sealed class HitCommit(IContextFactory contexts, HitWriter writer, TimeProvider time, ILogger<HitCommit> logger)
{
    private const string Part = "part";
    private const int ReasonBytes = 500;

    /// <summary>Moves the progress and writes the hits, both or nothing.</summary>
    /// <param name="unreadable">Records that could not be decoded, or not be searched whole; set aside.</param>
    /// <param name="move">Moves the progress in the transaction; false when another searcher was first, and nothing is written then. May be called twice.</param>
    /// <returns>The hits that were written and are new; null when another searcher was first.</returns>
    public async Task<IReadOnlyList<FoundHit>?> CommitAsync(
        IReadOnlyList<FoundHit> hits, IReadOnlyList<UnwritableRecord> unreadable, Func<ThreatFeedsContext, Task<bool>> move, CancellationToken cancellationToken)
    {
        try
        {
            return await TryAsync(move, unreadable, (db, _) => writer.WriteAsync(db, hits, cancellationToken), cancellationToken);
        }
        catch (Exception problem) when (hits.Count > 0 && DataFaults.Reason(problem) is not null)
        {
            AlertsLog.Halving(logger, hits.Count, problem);
        }
        var aside = new List<UnwritableRecord>(unreadable);
        return await TryAsync(move, aside, async (db, transaction) =>
        {
            // All locks before the parts, in order: a part given up would give its locks back, and the next would take others behind them.
            await HitWriter.LockAsync(db, hits.Select(h => h.Indicator), cancellationToken);
            return await HalvesAsync(db, transaction, hits, aside, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Measures how long after their arrival hits became alerts.</summary>
    /// <param name="written">What was just committed: what was set aside became none.</param>
    public void MeasureDelay(IReadOnlyList<FoundHit> written)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (FoundHit hit in written)
        {
            Meters.AlertDelay.Record(Math.Max(0, (now - hit.ArrivedAt).TotalSeconds));
        }
    }

    private async Task<IReadOnlyList<FoundHit>?> TryAsync(
        Func<ThreatFeedsContext, Task<bool>> move, IReadOnlyList<UnwritableRecord> aside, Func<ThreatFeedsContext, IDbContextTransaction, Task<IReadOnlyList<FoundHit>>> write, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await move(db))
        {
            return null;
        }
        IReadOnlyList<FoundHit> fresh = await write(db, transaction);
        long more = await SetAsideAsync(db, aside, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (more > 0)
        {
            UnwritableRecord first = aside[0];
            AlertsLog.SetAside(logger, more, first.Source.Name, first.Position.Segment, first.Position.Ordinal, first.Reason);
            Meters.RecordsSetAside.Add(more);
        }
        return fresh;
    }

    private async Task<IReadOnlyList<FoundHit>> HalvesAsync(
        ThreatFeedsContext db, IDbContextTransaction transaction, IReadOnlyList<FoundHit> hits, List<UnwritableRecord> aside, CancellationToken cancellationToken)
    {
        // What another replica wrote at the same moment is known by now: one hit alone is tried a second time.
        string reason = "";
        for (int attempt = 0; attempt < (hits.Count == 1 ? 2 : 1); attempt++)
        {
            await transaction.CreateSavepointAsync(Part, cancellationToken);
            try
            {
                IReadOnlyList<FoundHit> fresh = await writer.WriteAsync(db, hits, cancellationToken);
                await transaction.ReleaseSavepointAsync(Part, cancellationToken);
                return fresh;
            }
            catch (Exception problem) when (DataFaults.Reason(problem) is not null)
            {
                reason = DataFaults.Reason(problem)!;
                await transaction.RollbackToSavepointAsync(Part, cancellationToken);
                await transaction.ReleaseSavepointAsync(Part, cancellationToken);
                db.ChangeTracker.Clear();
            }
        }
        if (hits.Count == 1)
        {
            aside.Add(new UnwritableRecord(hits[0].Source, hits[0].Position, reason));
            return [];
        }
        int half = hits.Count / 2;
        return [.. await HalvesAsync(db, transaction, [.. hits.Take(half)], aside, cancellationToken),
            .. await HalvesAsync(db, transaction, [.. hits.Skip(half)], aside, cancellationToken)];
    }

    /// <summary>Writes the rows; returns how many records are set aside for the first time.</summary>
    private async Task<long> SetAsideAsync(ThreatFeedsContext db, IReadOnlyList<UnwritableRecord> aside, CancellationToken cancellationToken)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        long more = 0;
        foreach (UnwritableRecord record in aside.DistinctBy(a => (a.Source.Id, a.Position)))
        {
            more += await db.Database.ExecuteSqlAsync(
                $"""
                INSERT INTO set_aside ("Source", "Segment", "Ordinal", "Reason", "At")
                VALUES ({record.Source.Id}, {record.Position.Segment}, {record.Position.Ordinal}, {StorableText.Of(record.Reason, ReasonBytes)}, {now}) ON CONFLICT DO NOTHING
                """, cancellationToken);
        }
        if (more > 0)
        {
            await db.AddAsync(Counters.SetAside, more, cancellationToken);
        }
        return more;
    }
}
