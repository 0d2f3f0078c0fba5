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

    /// <summary>The feeds, and the resourceVersion that the list is of.</summary>
    public async Task<(IReadOnlyList<StoredFeed> Feeds, long Version)> ListWithVersionAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // The version first: a watch from it may repeat a change, never miss one.
        long version = await store.VersionAsync(db, cancellationToken);
        return ([.. (await store.ListAsync(db, ResourceKind.GlobalThreatFeed, null, cancellationToken)).Select(StoredFeed.Of)], version);
    }

    public async Task<StoredFeed?> FindAsync(string name, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        ResourceRow? row = await store.GetAsync(db, ResourceKey.Cluster(ResourceKind.GlobalThreatFeed, name), cancellationToken);
        return row is null ? null : StoredFeed.Of(row);
    }
}
