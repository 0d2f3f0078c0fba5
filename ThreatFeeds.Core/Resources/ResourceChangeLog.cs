using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Resources;

/// <summary>Bounds the changes that are remembered for watchers, by number, by age and by size.</summary>
public sealed class ResourceChangeLog(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Changes remembered at most.</summary>
    public const int Most = 10_000;

    /// <summary>Bytes of their documents remembered at most, and <see cref="Step"/> beyond it of each process that writes.</summary>
    public const long MostBytes = 64L << 20;

    /// <summary>Bytes that are written before they are looked at: to look at all of them at each would cost more than they do.</summary>
    internal const long Step = 8L << 20;

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
        long tooLarge = await TooLargeAsync(db, cancellationToken);
        long count = await ForgetAsync(db, Math.Max(tooLarge, Math.Max(tooMany, tooOld)), forgotten, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return count;
    }

    /// <summary>Forgets what goes beyond the bound in bytes, within the transaction of whoever writes: until somebody else came by, the disk could be full.</summary>
    internal static async Task<long> BoundBytesAsync(ThreatFeedsContext db, CancellationToken cancellationToken) =>
        await ForgetAsync(db, await TooLargeAsync(db, cancellationToken), await db.AddAsync(Counters.ForgottenChanges, 0, cancellationToken), cancellationToken);

    /// <summary>Whether all changes after this version are remembered; a watcher from an older one must list again (410 Gone).</summary>
    public async Task<bool> RemembersSinceAsync(long version, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return version >= await db.ReadAsync(Counters.ForgottenChanges, cancellationToken);
    }

    /// <summary>The newest change that has no room behind all that came after it; 0 when all have.</summary>
    private static async Task<long> TooLargeAsync(ThreatFeedsContext db, CancellationToken cancellationToken)
    {
        long bytes = 0;
        // Documents are written as ASCII: a character is a byte.
        await foreach (var change in db.ResourceChanges.OrderByDescending(c => c.ResourceVersion).Select(c => new { c.ResourceVersion, c.Document.Length }).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            bytes += change.Length;
            if (bytes > MostBytes)
            {
                return change.ResourceVersion;
            }
        }
        return 0;
    }

    private static async Task<long> ForgetAsync(ThreatFeedsContext db, long upTo, long forgotten, CancellationToken cancellationToken)
    {
        if (upTo <= forgotten)
        {
            return 0;
        }
        long count = await db.ResourceChanges.Where(c => c.ResourceVersion <= upTo).ExecuteDeleteAsync(cancellationToken);
        await db.AddAsync(Counters.ForgottenChanges, upTo - forgotten, cancellationToken);
        return count;
    }
}
