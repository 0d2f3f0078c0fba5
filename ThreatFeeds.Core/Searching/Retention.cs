using System.ComponentModel.DataAnnotations;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Section <c>Data</c>, as far as it says what is kept.</summary>
public sealed class RetentionOptions
{
    /// <summary>Days that records are kept after their arrival. 1 to 3650; unset: 8, as the original's.</summary>
    [ConfigurationKeyName("Data:RetentionDays")]
    [Range(1, 3650)]
    public int RetentionDays { get; set; } = 8;

    /// <summary>Bytes of records kept at most; the oldest go first. At least 64 MiB; unset: no bound.</summary>
    [ConfigurationKeyName("Data:MaxBytes")]
    [Range(typeof(long), "67108864", "9223372036854775807")]
    public long? MaxBytes { get; set; }
}

/// <summary>
/// Deletes records: what is older than the settings allow (never before the forward search passed it), and the oldest when there is more than MaxBytes.
/// Forgets gone sources that have been away for as long as records are kept.
/// </summary>
public sealed class RecordRetention(IContextFactory contexts, ILogStore logs, RetentionOptions options)
{
    /// <summary>Returns the number of records deleted. What a search still needed is counted by the store, in the step that deletes it.</summary>
    public async Task<long> RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        DateTimeOffset before = now - TimeSpan.FromDays(options.RetentionDays);
        await ForgetGoneAsync(before.UtcDateTime, cancellationToken);
        return await DeleteAsync(before, cancellationToken);
    }

    /// <summary>Deletes for size only.</summary>
    public Task<long> ShrinkAsync(CancellationToken cancellationToken) => DeleteAsync(DateTimeOffset.MinValue, cancellationToken);

    /// <summary>Even had the source stayed, nothing of it would be kept any more.</summary>
    private async Task ForgetGoneAsync(DateTime before, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Progress.Where(p => db.GoneSources.Any(g => g.Source == p.Source && g.GoneAt < before)).ExecuteDeleteAsync(cancellationToken);
        await db.GoneSources.Where(g => g.GoneAt < before).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<long> DeleteAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // Marks first: a look-back that opens in between is then seen, or stands behind what is deleted as if that had gone before it opened.
        Dictionary<string, Position> marks = await db.Progress.ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal), cancellationToken);
        List<LookBackRow> open = await db.LookBacks.AsNoTracking().ToListAsync(cancellationToken);
        var limits = new RetentionLimits(before, options.MaxBytes, marks)
        {
            LookBacks = open.GroupBy(l => l.Source).ToDictionary(g => g.Key, g => g.Min(l => new Position(l.DoneSegment, l.DoneOrdinal))),
        };
        return await logs.RetainAsync(limits, cancellationToken);
    }
}
