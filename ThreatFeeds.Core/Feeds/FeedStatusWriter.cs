using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>Writes statuses of feeds. Nothing is written when nothing changes; a feed that is gone, or another of the same name, is left alone.</summary>
public sealed class FeedStatusWriter(IContextFactory contexts, ResourceStore store)
{
    /// <summary>Sets the condition of that type, or changes its message.</summary>
    /// <param name="message">Cut to 2000 characters and made visible.</param>
    public Task SetConditionAsync(string feed, Guid uid, ConditionType type, string message, CancellationToken cancellationToken) =>
        UpdateAsync(feed, uid, status => status.With(type, message), cancellationToken);

    /// <summary>Removes conditions: their step went well.</summary>
    public Task ClearAsync(string feed, Guid uid, CancellationToken cancellationToken, params ConditionType[] types) =>
        UpdateAsync(feed, uid, status => status.Without(types), cancellationToken);

    /// <summary>Removes the conditions of which this is true.</summary>
    public Task ClearAsync(string feed, Guid uid, Func<FeedCondition, bool> over, CancellationToken cancellationToken) =>
        UpdateAsync(feed, uid, status => status with { ErrorConditions = [.. status.ErrorConditions.Where(c => !over(c))] }, cancellationToken);

    public Task ClearAsync(string feed, Guid uid, params ConditionType[] types) => ClearAsync(feed, uid, CancellationToken.None, types);

    /// <summary>A set was replaced, found unchanged or pushed, which also clears the conditions of both ways to get one.</summary>
    public Task SyncedAsync(string feed, Guid uid, DateTimeOffset at, CancellationToken cancellationToken) =>
        UpdateAsync(feed, uid, status => status.Synced(at), cancellationToken);

    /// <summary>Changes the status in the caller's transaction. It locks what changes of feeds lock first.</summary>
    public Task ChangeAsync(ThreatFeedsContext db, string feed, Guid uid, Func<FeedStatus, FeedStatus> change, CancellationToken cancellationToken) =>
        store.UpdateStatusAsync(db, Key(feed), uid, status => change(FeedStatus.Read(status)).ToJson(), cancellationToken);

    /// <summary>Everything that had arrived by then has been compared with these feeds. The caller limits how often it says so.</summary>
    public async Task SearchedAsync(IReadOnlyCollection<(string Name, Guid Uid)> feeds, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (feeds.Count == 0)
        {
            return;
        }
        await WriteConflicts.RetryAsync(async ct =>
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(ct);
            foreach ((string feed, Guid uid) in feeds)
            {
                await ChangeAsync(db, feed, uid, s => s.Searched(at), ct);
            }
            await transaction.CommitAsync(ct);
            return true;
        }, cancellationToken);
    }

    private async Task UpdateAsync(string feed, Guid uid, Func<FeedStatus, FeedStatus> change, CancellationToken cancellationToken)
    {
        await WriteConflicts.RetryAsync(async ct =>
        {
            await using ThreatFeedsContext db = contexts.Create();
            // Looked at first without the write lock: most successes find nothing to clear.
            ResourceRow? row = await store.GetAsync(db, Key(feed), ct);
            if (row is null || row.Uid != uid || !Changes(row, change))
            {
                return false;
            }
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync(ct);
            await ChangeAsync(db, feed, uid, change, ct);
            await transaction.CommitAsync(ct);
            return true;
        }, cancellationToken);
    }

    private static bool Changes(ResourceRow row, Func<FeedStatus, FeedStatus> change)
    {
        FeedStatus before = FeedStatus.Read(ResourceDocument.Parse(row.Status));
        return !System.Text.Json.Nodes.JsonNode.DeepEquals(before.ToJson(), change(before).ToJson());
    }

    private static ResourceKey Key(string feed) => ResourceKey.Cluster(ResourceKind.GlobalThreatFeed, feed);
}
