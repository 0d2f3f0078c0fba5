using System.Text.Json.Nodes;
using ThreatFeeds.Alerts;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Web.Data;

/// <summary>
/// All the console asks of the process it runs in. Called from many circuits at once; every call is one operation on its own.
/// A method throws when it cannot answer; the page then shows that with a retry. Expected refusals are results, not exceptions.
/// </summary>
public interface IConsoleData
{
    /// <summary>
    /// Raised after something shown by the console changed, from any thread. Pages wait a moment and ask again, so raising it too
    /// often is harmless. Handlers return at once.
    /// </summary>
    event Action<ConsoleChange>? Changed;

    /// <summary>All feeds, sorted by name.</summary>
    Task<IReadOnlyList<FeedOverview>> ListFeedsAsync(CancellationToken cancellationToken);

    /// <summary>One feed, or null when there is none of that name.</summary>
    Task<FeedOverview?> FindFeedAsync(string name, CancellationToken cancellationToken);

    /// <summary>The feed's manifest as its author may edit it (apiVersion, kind, metadata with name, labels and annotations, spec), or null.</summary>
    Task<EditableManifest?> ManifestAsync(string name, CancellationToken cancellationToken);

    /// <summary>Reads a pasted manifest (YAML or JSON). The manifest is given whenever the text could be read, even when it has problems.</summary>
    Task<ManifestReading> ParseManifestAsync(string text, CancellationToken cancellationToken);

    /// <summary>
    /// Creates the feed (<paramref name="name"/> null) or replaces it. <paramref name="expectedGeneration"/> is the generation the form
    /// was filled from: another one by now is a conflict; null does not ask.
    /// </summary>
    Task<SaveResult> SaveFeedAsync(JsonObject manifest, string? name, long? expectedGeneration, CancellationToken cancellationToken);

    /// <summary>Deletes the definition and the set; alerts stay. Refused when the feed is no longer there.</summary>
    Task<ActionResult> DeleteFeedAsync(string name, CancellationToken cancellationToken);

    /// <summary>Sets spec.mode to Enabled or Disabled.</summary>
    Task<ActionResult> SetModeAsync(string name, bool enabled, CancellationToken cancellationToken);

    /// <summary>Asks for a pull now; the run shows in <see cref="RunsAsync"/>. Refused for a push feed and for a disabled one.</summary>
    Task<ActionResult> PullNowAsync(string name, CancellationToken cancellationToken);

    /// <summary>Fetches and parses what a manifest names; nothing is stored. Problems of the manifest itself are given instead of a preview.</summary>
    Task<PreviewResult> PreviewAsync(JsonObject manifest, CancellationToken cancellationToken);

    /// <summary>The feed's indicators as text in the set's order, 100 a page. <paramref name="query"/> keeps those that contain it.</summary>
    Task<Page<string>> IndicatorsAsync(string name, string? query, string? after, CancellationToken cancellationToken);

    /// <summary>The feed's last runs, newest first, at most 100.</summary>
    Task<IReadOnlyList<FeedRun>> RunsAsync(string name, CancellationToken cancellationToken);

    /// <summary>Is a name or an address listed, by what, and what did it hit. Look-ups see the generation now searched with.</summary>
    Task<LookUpResult> LookUpAsync(string value, CancellationToken cancellationToken);

    /// <summary>A page of alerts.</summary>
    Task<Page<AlertView>> AlertsAsync(AlertFilter filter, CancellationToken cancellationToken);

    /// <summary>One alert, or null when it is not (or no longer) kept.</summary>
    Task<AlertView?> AlertAsync(string id, CancellationToken cancellationToken);

    /// <summary>The hits of an alert, newest first, 20 a page.</summary>
    Task<Page<HitView>> HitsAsync(string id, string? after, CancellationToken cancellationToken);

    /// <summary>Changes the state or the note of alerts. Returns how many there were to change.</summary>
    Task<int> ChangeAlertsAsync(IReadOnlyList<string> ids, AlertChange change, CancellationToken cancellationToken);

    /// <summary>Open alerts by severity.</summary>
    Task<AlertCounts> AlertCountsAsync(CancellationToken cancellationToken);

    /// <summary>What is searched and what is not yet.</summary>
    Task<SearchState> SearchStateAsync(CancellationToken cancellationToken);
}
