using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using MudBlazor;
using ThreatFeeds.Manifests;
using ThreatFeeds.Web.Data;
using ThreatFeeds.Web.Shared;

namespace ThreatFeeds.Web.Feeds;

/// <summary>Add or edit a feed, with a test of what it really contains beside the form.</summary>
public sealed partial class FeedEditor : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private FeedForm _form = FeedForm.New();
    private FeedProblems _problems = FeedProblems.None;
    private IReadOnlyList<string> _labelsInUse = [];
    private PreviewResult? _result;
    private string? _tested, _testError, _conflict, _error, _loadedFor;
    private string _saved = "";
    private long? _generation;
    private IDisposable? _held;
    private bool _loading = true, _testing, _saving, _pasting;

    [Parameter] public string? Name { get; set; }

    /// <summary><c>paste</c> opens the box for a manifest.</summary>
    [SupplyParameterFromQuery] public string? Manifest { get; set; }

    /// <summary>A feed to start from.</summary>
    [SupplyParameterFromQuery] public string? Ready { get; set; }

    [Inject] private ConsoleFeeds FeedData { get; set; } = null!;

    [Inject] private ConsoleManifests Manifests { get; set; } = null!;

    [Inject] private ConsoleFeedChanges Changing { get; set; } = null!;

    [Inject] private NavigationManager Nav { get; set; } = null!;

    [Inject] private IDialogService Dialogs { get; set; } = null!;

    [Inject] private Toasts Toasts { get; set; } = null!;

    [Inject] private Failures Failures { get; set; } = null!;

    private string Title => Name is null ? "Add a New Threat Feed" : "Edit Threat Feed";

    private bool Changed => !_loading && !_saving && _form.ToManifest().ToJsonString() != _saved;

    /// <summary>What the outcome of a test depends on: spec and annotations, not name, labels or description.</summary>
    private string TestKey
    {
        get
        {
            JsonObject manifest = _form.ToManifest();
            return $"{manifest["spec"]?["content"]} {manifest["spec"]?["pull"]?["http"]?.ToJsonString()} {manifest["metadata"]?["annotations"]?.ToJsonString()}";
        }
    }

    protected override async Task OnParametersSetAsync()
    {
        if (_loadedFor != (Name ?? ""))
        {
            _loadedFor = Name ?? "";
            await LoadAsync();
        }
    }

    private async Task LoadAsync()
    {
        (_error, _loading) = (null, true);
        try
        {
            _labelsInUse = [.. (await FeedData.ListAsync(_gone.Token)).SelectMany(f => f.Feed.Labels).Select(l => $"{l.Key}={l.Value}").Distinct().Order(StringComparer.Ordinal)];
            _form = FeedForm.New();
            if (Name is not null)
            {
                EditableManifest? stored = await Manifests.FindAsync(Name, _gone.Token);
                Hold(stored?.Held);
                if (stored?.Manifest is null)
                {
                    (_error, _loading) = (stored?.Refusal ?? $"There is no feed named {Name}; it may have been deleted.", false);
                    return;
                }
                _form = FeedForm.From(stored.Manifest);
                _generation = stored.Generation;
            }
            _saved = _form.ToManifest().ToJsonString();
            _pasting = Name is null && Manifest == "paste";
            if (Name is null && Ready == "tor-exits")
            {
                _form.Name = "tor-exits";
                _form.Description = "Tor exit addresses";
                _form.Url = "https://check.torproject.org/torbulkexitlist";
                _form.Period = "1h";
            }
        }
        catch (OperationCanceledException) when (_gone.IsCancellationRequested)
        {
            return;
        }
        catch (Exception problem)
        {
            _error = Failures.Say("Loading the form of a feed", problem);
        }
        _loading = false;
    }

    private async Task FillAsync(ManifestReading pasted)
    {
        Hold(pasted.Held);
        _form = FeedForm.From(pasted.Manifest!);
        if (Name is not null)
        {
            _form.Name = Name;
        }
        (_pasting, _problems, _conflict) = (false, FeedProblems.None, null);
        Toasts.Done("The form holds the manifest. Nothing is saved yet.");
        await TestWhenChangedAsync();
    }

    /// <summary>A field that may change the outcome was changed: a test that was made is made again.</summary>
    private Task TouchedAsync() => _result is null ? Task.CompletedTask : TestWhenChangedAsync();

    private Task TestWhenChangedAsync() => _form.Pulled && _form.Url.Trim().Length > 0 && _tested != TestKey ? TestAsync() : Task.CompletedTask;

    private async Task TestAsync()
    {
        (_testing, _testError) = (true, null);
        string key = _tested = TestKey;
        StateHasChanged();
        try
        {
            JsonObject manifest = _form.ToManifest();
            PreviewResult result = await Changing.PreviewAsync(manifest, _gone.Token);
            IReadOnlyList<FeedProblem> problems = result.Problems;
            if (result.Preview is null && problems.All(p => p.Path == "metadata.name"))
            {
                // A test needs no name; what is wrong with the one typed so far is still shown.
                problems = _form.Name.Trim().Length == 0 ? [] : problems;
                manifest["metadata"]!["name"] = "unnamed";
                result = await Changing.PreviewAsync(manifest, _gone.Token);
            }
            if (_tested == key)
            {
                _result = result;
                _problems = new FeedProblems(result.Preview is null ? [.. problems, .. result.Problems.Except(problems)] : problems);
            }
        }
        catch (OperationCanceledException) when (_gone.IsCancellationRequested)
        {
            return;
        }
        catch (Exception problem)
        {
            _testError = Failures.Say("Testing a feed", problem);
        }
        _testing = _tested != key && _testing;
    }

    private async Task SaveAsync()
    {
        (_saving, _conflict) = (true, null);
        bool leave = false;
        try
        {
            SaveResult result = await Changing.SaveAsync(_form.ToManifest(), Name, _generation, _gone.Token);
            _problems = new FeedProblems(result.Problems);
            _conflict = result.Conflict;
            leave = result.Saved;
        }
        catch (Exception problem) when (!_gone.IsCancellationRequested)
        {
            _conflict = "Not saved. " + Failures.Say("Saving a feed", problem);
        }
        if (leave)
        {
            string name = _form.Name.Trim();
            Toasts.Done(_form.Pulled ? $"{name} is saved and being pulled." : $"{name} is saved. It waits for a set to be pushed.");
            Nav.NavigateTo(FeedLinks.View(name));
        }
        else
        {
            _saving = false;
            Toasts.Failed(_conflict ?? "Not saved: the form has problems, shown at their fields.");
        }
    }

    private async Task AskBeforeLeavingAsync(LocationChangingContext context)
    {
        if (Changed && !await Dialogs.AskAsync("Leave this page?", "What you changed is not saved.", "Leave", "Stay"))
        {
            context.PreventNavigation();
        }
    }

    /// <summary>The room of the manifest that the form goes on from, until another takes its place or the page is left.</summary>
    private void Hold(IDisposable? held)
    {
        _held?.Dispose();
        _held = held;
        if (_gone.IsCancellationRequested)
        {
            _held?.Dispose();
            _held = null;
        }
    }

    public void Dispose()
    {
        _gone.Cancel();
        Hold(null);
    }
}
