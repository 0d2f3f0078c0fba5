using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Resources;

/// <summary>Bounds the changes that are remembered for watchers, by number and by age.</summary>
public sealed class ResourceChangeLog(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Changes remembered at most.</summary>
    public const int Most = 10_000;

    /// <summary>How long a change is remembered at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Forgets what goes beyond the bounds, the oldest first; returns how many changes it forgot.</summary>
    public async Task<long> CompactAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Adding nothing locks the counter: two that compact do so one behind the other.
        long forgotten = await db.AddAsync(Counters.ForgottenChanges, 0, cancellationToken);
        DateTime limit = time.GetUtcNow().UtcDateTime - Longest;
        long tooMany = await db.ResourceChanges.OrderByDescending(c => c.ResourceVersion).Skip(Most).Select(c => c.ResourceVersion).FirstOrDefaultAsync(cancellationToken);
        long tooOld = await db.ResourceChanges.Where(c => c.At < limit).MaxAsync(c => (long?)c.ResourceVersion, cancellationToken) ?? 0;
        long upTo = Math.Max(tooMany, tooOld);
        if (upTo <= forgotten)
        {
            return 0;
        }
        long count = await db.ResourceChanges.Where(c => c.ResourceVersion <= upTo).ExecuteDeleteAsync(cancellationToken);
        await db.AddAsync(Counters.ForgottenChanges, upTo - forgotten, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return count;
    }

    /// <summary>Whether all changes after this version are remembered; a watcher from an older one must list again (410 Gone).</summary>
    public async Task<bool> RemembersSinceAsync(long version, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return version >= await db.ReadAsync(Counters.ForgottenChanges, cancellationToken);
    }
}
