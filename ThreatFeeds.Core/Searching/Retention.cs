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
