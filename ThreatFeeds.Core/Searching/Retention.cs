using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Settings Data:RetentionDays and Data:MaxBytes.</summary>
public sealed class RetentionOptions
{
    /// <summary>Records are kept this many days after their arrival; default 8, as the original's.</summary>
    public double RetentionDays { get; set; } = 8;

    /// <summary>Bytes of records kept at most; the oldest go first. Null: no limit.</summary>
    public long? MaxBytes { get; set; }
}

/// <summary>Deletes records that are older than the settings allow, never before they were searched but to stay under MaxBytes.</summary>
public sealed class Retention(IContextFactory contexts, ILogStore logs, RetentionOptions options)
{
    /// <summary>Returns the number of records deleted.</summary>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        Dictionary<string, Position> marks = await db.Progress.ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal), cancellationToken);
        return await logs.RetainAsync(new RetentionLimits(TimeSpan.FromDays(options.RetentionDays), options.MaxBytes, marks), cancellationToken);
    }
}
