using Microsoft.EntityFrameworkCore;

namespace ThreatFeeds.Storage;

/// <summary>Numbers that only grow, but those of retention. Incrementing locks the row until the caller's transaction ends, so that values become visible in order.</summary>
public static class Counters
{
    /// <summary>metadata.resourceVersion of the newest change to any resource.</summary>
    public const string ResourceVersion = "resourceVersion";

    /// <summary>The generation: the number of the last change to what is listed.</summary>
    public const string Generation = "generation";

    /// <summary>Records deleted before they were compared, as far as they were counted here: by versions before the log store counted them.</summary>
    public const string Dropped = "dropped";

    /// <summary>The time retention last believed, Unix milliseconds.</summary>
    public const string RetentionSeen = "retentionSeen";

    /// <summary>How long the process has run since the clock leapt ahead, milliseconds; 0 when it is believed.</summary>
    public const string RetentionHeld = "retentionHeld";

    /// <summary>Records that hit but cannot become alerts, or that could not be searched whole, and were passed.</summary>
    public const string SetAside = "setAside";

    /// <summary>Changes of resources at or before this version are forgotten.</summary>
    public const string ForgottenChanges = "forgottenChanges";

    /// <summary>Adds to a counter within the caller's transaction and returns its new value.</summary>
    public static async Task<long> AddAsync(this ThreatFeedsContext db, string name, long by, CancellationToken cancellationToken)
    {
        List<long> values = await db.Database.SqlQuery<long>(
            $"""
            INSERT INTO counters ("Name", "Value") VALUES ({name}, {by})
            ON CONFLICT ("Name") DO UPDATE SET "Value" = counters."Value" + {by} RETURNING "Value"
            """).ToListAsync(cancellationToken);
        return values[0];
    }

    /// <summary>The counter's committed value, 0 when it was never used.</summary>
    public static Task<long> ReadAsync(this ThreatFeedsContext db, string name, CancellationToken cancellationToken) =>
        db.Counters.Where(c => c.Name == name).Select(c => c.Value).FirstOrDefaultAsync(cancellationToken);
}
