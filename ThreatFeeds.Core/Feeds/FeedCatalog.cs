using System.Runtime.CompilerServices;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <summary>A feed as it is stored.</summary>
public sealed record StoredFeed(Feed Feed, FeedStatus Status, ResourceRow Row)
{
    public static StoredFeed Of(ResourceRow row) =>
        new(FeedReader.ReadStored(ResourceDocument.ToJson(row), row.Uid, row.Generation), FeedStatus.Read(ResourceDocument.Parse(row.Status)), row);
}

/// <summary>Reads the stored feeds; also those that an older version let in and the rules would now refuse.</summary>
public sealed class FeedCatalog(IContextFactory contexts, ResourceStore store)
{
    /// <summary>All feeds by name.</summary>
    public async Task<IReadOnlyList<StoredFeed>> ListAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return [.. (await store.ListAsync(db, ResourceKind.GlobalThreatFeed, null, cancellationToken)).Select(StoredFeed.Of)];
    }

    /// <summary>The resourceVersion that a list read after it is of: a watch from it may repeat a change, never miss one.</summary>
    public async Task<long> VersionAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await store.VersionAsync(db, cancellationToken);
    }

    /// <summary>The feeds as they stand in the database, by name, one after another: all of them at once may be many times what their rows are.</summary>
    public async IAsyncEnumerable<ResourceRow> RowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await foreach (ResourceRow row in store.EachAsync(db, ResourceKind.GlobalThreatFeed).WithCancellation(cancellationToken))
        {
            yield return row;
        }
    }

    /// <summary>One feed as it stands in the database, of which nothing is made yet.</summary>
    public async Task<ResourceRow?> FindRowAsync(string name, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await store.GetAsync(db, ResourceKey.Cluster(ResourceKind.GlobalThreatFeed, name), cancellationToken);
    }

    public async Task<StoredFeed?> FindAsync(string name, CancellationToken cancellationToken) =>
        await FindRowAsync(name, cancellationToken) is { } row ? StoredFeed.Of(row) : null;
}
