using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Alerts;
using ThreatFeeds.Feeds;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Api.Console;

/// <summary>Gives the console what the rooms know. The console asks nothing that the API would not answer.</summary>
internal sealed class ConsoleData(ConsoleFeeds feeds, ConsoleAlerts alerts, ConsoleChanges changes, SearchStates searches) : IConsoleData
{
    public event Action<ConsoleChange>? Changed
    {
        add => changes.Changed += value;
        remove => changes.Changed -= value;
    }

    public Task<IReadOnlyList<FeedOverview>> ListFeedsAsync(CancellationToken cancellationToken) => feeds.Overviews.ListAsync(cancellationToken);

    public Task<FeedOverview?> FindFeedAsync(string name, CancellationToken cancellationToken) => feeds.Overviews.FindAsync(name, cancellationToken);

    public Task<EditableManifest?> ManifestAsync(string name, CancellationToken cancellationToken) => feeds.ManifestAsync(name, cancellationToken);

    public Task<ManifestReading> ParseManifestAsync(string text, CancellationToken cancellationToken) => Task.FromResult(feeds.Parse(Encoding.UTF8.GetBytes(text)));

    public Task<SaveResult> SaveFeedAsync(JsonObject manifest, string? name, long? expectedGeneration, CancellationToken cancellationToken) =>
        feeds.SaveAsync(manifest, name, expectedGeneration, cancellationToken);

    public Task<ActionResult> DeleteFeedAsync(string name, CancellationToken cancellationToken) => feeds.DeleteAsync(name, cancellationToken);

    public Task<ActionResult> SetModeAsync(string name, bool enabled, CancellationToken cancellationToken) => feeds.SetModeAsync(name, enabled, cancellationToken);

    public Task<ActionResult> PullNowAsync(string name, CancellationToken cancellationToken) => feeds.PullNowAsync(name, cancellationToken);

    public Task<PreviewResult> PreviewAsync(JsonObject manifest, CancellationToken cancellationToken) => feeds.PreviewAsync(manifest, cancellationToken);

    public Task<Page<string>> IndicatorsAsync(string name, string? query, string? after, CancellationToken cancellationToken) =>
        feeds.IndicatorsAsync(name, query, after, cancellationToken);

    public Task<IReadOnlyList<FeedRun>> RunsAsync(string name, CancellationToken cancellationToken) => feeds.RunsAsync(name, cancellationToken);

    public Task<LookUpResult> LookUpAsync(string value, CancellationToken cancellationToken) => alerts.LookUpAsync(value, cancellationToken);

    public Task<Page<AlertView>> AlertsAsync(AlertFilter filter, CancellationToken cancellationToken) => alerts.Queries.ListAsync(filter, cancellationToken);

    public Task<AlertView?> AlertAsync(string id, CancellationToken cancellationToken) => alerts.Queries.FindAsync(id, cancellationToken);

    public async Task<Page<HitView>> HitsAsync(string id, string? after, CancellationToken cancellationToken) =>
        await alerts.Queries.HitsAsync(id, after, 20, cancellationToken) ?? new Page<HitView>([], null);

    public Task<int> ChangeAlertsAsync(IReadOnlyList<string> ids, AlertChange change, CancellationToken cancellationToken) => alerts.ChangeAsync(ids, change, cancellationToken);

    public Task<AlertCounts> AlertCountsAsync(CancellationToken cancellationToken) => alerts.CountsAsync(cancellationToken);

    public Task<SearchState> SearchStateAsync(CancellationToken cancellationToken) => searches.GetAsync(cancellationToken);
}
