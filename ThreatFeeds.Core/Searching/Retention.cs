using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Sets;
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

/// <summary>Deletes what is older than the settings allow: records (never before they were searched, but to stay under MaxBytes), alerts, stored sets.</summary>
public sealed class Retention(IContextFactory contexts, ILogStore logs, AlertRetention alerts, SetSweeper sweeper, RetentionSchedule schedule)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, Position> marks;
        await using (ThreatFeedsContext db = contexts.Create())
        {
            marks = await db.Progress.ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal), cancellationToken);
        }
        RetentionOptions options = schedule.Options;
        long records = await logs.RetainAsync(new RetentionLimits(TimeSpan.FromDays(options.RetentionDays), options.MaxBytes, marks), cancellationToken);
        int deleted = await alerts.RunAsync(cancellationToken);
        int sets = await sweeper.SweepAsync(cancellationToken);
        if (records + deleted + sets > 0)
        {
            SearchingLog.Retained(schedule.Logger, records, deleted, sets);
        }
    }
}

/// <summary>What retention goes by, and where it reports.</summary>
public sealed record RetentionSchedule(RetentionOptions Options, ILogger<Retention> Logger);
