using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Web.Data;

/// <summary>
/// What the console shows of feeds. Called from many circuits at once; every call is one operation on its own. A method throws when it cannot answer; the page
/// then shows that with a retry.
/// </summary>
public sealed class ConsoleFeeds(FeedOverviews overviews, FeedReader reader, FeedCatalog catalog, ListedSets sets, RunHistory runs)
{
    private const int PageSize = 100;

    /// <summary>All feeds, sorted by name.</summary>
    public Task<IReadOnlyList<FeedOverview>> ListAsync(CancellationToken cancellationToken) => overviews.ListAsync(cancellationToken);

    /// <summary>One feed, or null when there is none of that name.</summary>
    public Task<FeedOverview?> FindAsync(string name, CancellationToken cancellationToken) => overviews.FindAsync(name, cancellationToken);

    /// <summary>The feed's manifest as its author may edit it (apiVersion, kind, metadata with name, labels and annotations, spec), or null.</summary>
    public async Task<EditableManifest?> ManifestAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed
            ? new EditableManifest(FeedManifest.ToJson(feed.Row), FeedManifest.ToYaml(feed.Row), feed.Row.Generation) : null;

    /// <summary>Reads a pasted manifest (YAML or JSON). The manifest is given whenever the text could be read, even when it has problems.</summary>
    public ManifestReading Parse(string text)
    {
        try
        {
            JsonObject manifest = ManifestText.Read(Encoding.UTF8.GetBytes(text));
            return new ManifestReading(manifest, reader.Read(manifest).Problems);
        }
        catch (ManifestException problem)
        {
            return new ManifestReading(null, [new FeedProblem("", ProblemReasons.Invalid, problem.Message)]);
        }
    }

    /// <summary>The feed's indicators as text in the set's order, 100 a page. <paramref name="query"/> keeps those that contain it.</summary>
    public Task<Page<string>> IndicatorsAsync(string name, string? query, string? after, CancellationToken cancellationToken) =>
        sets.IndicatorsAsync(name, after, PageSize, cancellationToken, string.IsNullOrWhiteSpace(query) ? null : query.Trim());

    /// <summary>The feed's last runs, newest first, at most 100.</summary>
    public async Task<IReadOnlyList<FeedRun>> RunsAsync(string name, CancellationToken cancellationToken) =>
        await catalog.FindAsync(name, cancellationToken) is { } feed ? (await runs.ListAsync(feed.Feed, null, PageSize, cancellationToken)).Items : [];
}
