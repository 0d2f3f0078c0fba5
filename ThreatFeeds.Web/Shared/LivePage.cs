using Microsoft.AspNetCore.Components;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Web.Shared;

/// <summary>
/// A component that asks for its data, asks again when something it watches changed, and knows its four states.
/// A change that arrives while it asks is answered by one more query after it; a slow query is never overtaken by an older one.
/// </summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private CancellationTokenSource? _loading;
    private bool _refreshing, _again;

    [Inject] private ConsoleChanges Changes { get; set; } = null!;

    [Inject] protected Failures Failures { get; set; } = null!;

    [Inject] protected TimeProvider Time { get; set; } = null!;

    /// <summary>True until the first answer.</summary>
    protected bool Loading { get; private set; } = true;

    /// <summary>Why there is no answer; null when there is one.</summary>
    protected string? Error { get; private set; }

    protected CancellationToken Gone => _gone.Token;

    protected abstract ConsoleChange Watches { get; }

    /// <summary>Asks for the data and keeps it. <paramref name="live"/>: not asked for by the reader, so nothing may jump.</summary>
    protected abstract Task LoadAsync(bool live, CancellationToken cancellationToken);

    protected override void OnInitialized() => Changes.Changed += OnChanged;

    protected Task ReloadAsync() => ReloadAsync(live: false);

    private async Task ReloadAsync(bool live)
    {
        _loading?.Cancel();
        CancellationTokenSource mine = _loading = CancellationTokenSource.CreateLinkedTokenSource(_gone.Token);
        try
        {
            await LoadAsync(live, mine.Token);
            Error = null;
            Loading = false;
        }
        catch (OperationCanceledException) when (mine.IsCancellationRequested)
        {
            // A newer query answers instead.
        }
        catch (Exception problem)
        {
            Error = Failures.Say("Loading " + GetType().Name, problem);
            Loading = false;
        }
    }

    private void OnChanged(ConsoleChange change)
    {
        if ((change & Watches) != 0)
        {
            Refresh();
        }
    }

    /// <summary>Asks again although nobody asked for it. From any thread; returns at once.</summary>
    protected void Refresh() => _ = InvokeAsync(RefreshAsync);

    /// <summary>Runs on the circuit, so that no two of them run at once.</summary>
    private async Task RefreshAsync()
    {
        _again = true;
        if (_refreshing)
        {
            // Breaking off what is under way, a query slower than the changes would never answer.
            return;
        }
        _refreshing = true;
        while (_again && !_gone.IsCancellationRequested)
        {
            _again = false;
            await ReloadAsync(live: true);
            StateHasChanged();
        }
        _refreshing = false;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Changes.Changed -= OnChanged;
        _gone.Cancel();
    }
}
