using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Web.Data;

/// <summary>
/// What the console shows of feeds. Called from many circuits at once; every call is one operation on its own. A method throws when it cannot answer; the page
/// then shows that with a retry.
/// </summary>
public sealed class ConsoleFeeds(FeedOverviews overviews, FeedCatalog catalog, ListedSets sets, RunHistory runs)
{
    private const int PageSize = 100;

    /// <summary>All feeds, sorted by name.</summary>
    public Task<IReadOnlyList<FeedOverview>> ListAsync(CancellationToken cancellationToken) => overviews.ListAsync(cancellationToken);

    /// <summary>One feed, or null when there is none of that name.</summary>
    public Task<FeedOverview?> FindAsync(string name, CancellationToken cancellationToken) => overviews.FindAsync(name, cancellationToken);

    /// <summary>The feed's indicators as text in the set's order, 100 a page. <paramref name="query"/> keeps those that contain it.</summary>
    public Task<Page<string>> IndicatorsAsync(string name, string? query, string? after, CancellationToken cancellationToken) =>
        sets.IndicatorsAsync(name, after, PageSize, cancellationToken, string.IsNullOrWhiteSpace(query) ? null : query.Trim());

    /// <summary>The feed's last runs, newest first, at most 100.</summary>
    public async Task<IReadOnlyList<FeedRun>> RunsAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed ? (await runs.ListAsync(feed.Feed, null, PageSize, cancellationToken)).Items : [];
}
