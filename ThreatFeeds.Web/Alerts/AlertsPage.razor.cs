using Microsoft.AspNetCore.Components;
using ThreatFeeds.Alerts;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;
using ThreatFeeds.Web.Data;
using ThreatFeeds.Web.Shared;

namespace ThreatFeeds.Web.Alerts;

/// <summary>Findings by filters that live in the URL; one of them beside the list.</summary>
public sealed partial class AlertsPage
{
    [Inject] private ConsoleFeeds FeedData { get; set; } = null!;

    [Inject] private ConsoleAlerts AlertData { get; set; } = null!;

    [Inject] private SearchStates Searches { get; set; } = null!;

    private readonly HashSet<string> _selected = [];
    private List<AlertView> _alerts = [];
    private IReadOnlyList<string> _feeds = [];
    private SearchState? _searches;
    private string? _next, _shown;
    private int _new;

    [SupplyParameterFromQuery] public string? State { get; set; }

    [SupplyParameterFromQuery] public string? Severity { get; set; }

    [SupplyParameterFromQuery] public string? Kind { get; set; }

    [SupplyParameterFromQuery] public string? Namespace { get; set; }

    [SupplyParameterFromQuery] public string? Workload { get; set; }

    [SupplyParameterFromQuery] public string? Feed { get; set; }

    [SupplyParameterFromQuery] public string? Indicator { get; set; }

    [SupplyParameterFromQuery] public string? Since { get; set; }

    [SupplyParameterFromQuery] public string? Id { get; set; }

    [Inject] private Toasts Toasts { get; set; } = null!;

    protected override ConsoleChange Watches => ConsoleChange.Alerts;

    private AlertQuery Query => new(State, Severity, Kind, Namespace, Workload, Feed, Indicator, Since, string.IsNullOrEmpty(Id) ? null : Id);

    protected override async Task OnParametersSetAsync()
    {
        string wanted = (Query with { Id = null }).Url();
        if (_shown != wanted)
        {
            _shown = wanted;
            _selected.Clear();
            await ReloadAsync();
        }
    }

    protected override async Task LoadAsync(bool live, CancellationToken cancellationToken)
    {
        Page<AlertView> page = await AlertData.ListAsync(Query.Filter(Time.GetUtcNow(), null), cancellationToken);
        if (live && _alerts.Count > 0)
        {
            KeepPlaces(page);
            return;
        }
        (_alerts, _next, _new) = ([.. page.Items], page.Next, 0);
        _feeds = [.. (await FeedData.ListAsync(cancellationToken)).Select(f => f.Feed.Name)];
        _searches = await Searches.GetAsync(cancellationToken);
    }

    /// <summary>Rows being read stay where they are: known ones get their new counts, those that no longer belong leave, new ones are announced.</summary>
    private void KeepPlaces(Page<AlertView> page)
    {
        Dictionary<string, AlertView> fresh = page.Items.ToDictionary(a => a.Id);
        if (page.Next is null)
        {
            _alerts.RemoveAll(a => !fresh.ContainsKey(a.Id));
            _selected.IntersectWith(_alerts.Select(a => a.Id));
        }
        for (int i = 0; i < _alerts.Count; i++)
        {
            _alerts[i] = fresh.Remove(_alerts[i].Id, out AlertView? now) ? now : _alerts[i];
        }
        _new = fresh.Count;
        if (_alerts.Count == 0)
        {
            (_alerts, _next, _new) = ([.. page.Items], page.Next, 0);
        }
    }

    private Task MoreAsync() => Failures.TryAsync("Loading more alerts", "No more could be shown", LoadMoreAsync, Gone);

    private async Task LoadMoreAsync()
    {
        Page<AlertView> page = await AlertData.ListAsync(Query.Filter(Time.GetUtcNow(), _next), Gone);
        HashSet<string> known = [.. _alerts.Select(a => a.Id)];
        _alerts.AddRange(page.Items.Where(a => known.Add(a.Id)));
        _next = page.Next;
    }

    private Task ChangeSelectedAsync(AlertState state) => ChangeAsync([.. _selected], new AlertChange(state, null));

    private Task ChangeAsync(IReadOnlyList<string> ids, AlertChange change) =>
        Failures.TryAsync("Changing alerts", "Nothing was changed", () => ApplyAsync(ids, change), Gone);

    private async Task ApplyAsync(IReadOnlyList<string> ids, AlertChange change)
    {
        List<AlertView> before = [];
        foreach (string id in ids)
        {
            if ((_alerts.Find(a => a.Id == id) ?? await AlertData.FindAsync(id, Gone)) is { } alert)
            {
                before.Add(alert);
            }
        }
        int changed = await AlertData.ChangeAsync(ids, change, Gone);
        _selected.ExceptWith(ids);
        string what = change.State is not { } state ? "Note saved."
            : $"{Words.Many(changed, "alert", "alerts")} {(state == AlertState.Open ? "reopened" : Word.Of(state))}.";
        // The page may be left before it is taken back.
        Toasts.Undoable(what, () => Failures.TryAsync("Taking a change of alerts back", "It was not taken back", () => RestoreAsync(before, change), default));
        await ReloadAsync();
    }

    private async Task RestoreAsync(List<AlertView> before, AlertChange change)
    {
        foreach (var group in before.GroupBy(a => new AlertChange(change.State is null ? null : a.State, change.Note is null ? null : a.Note)))
        {
            await AlertData.ChangeAsync([.. group.Select(a => a.Id)], group.Key, default);
        }
        Toasts.Done("Taken back.");
        if (!Gone.IsCancellationRequested)
        {
            await InvokeAsync(async () =>
            {
                await ReloadAsync();
                StateHasChanged();
            });
        }
    }
}
