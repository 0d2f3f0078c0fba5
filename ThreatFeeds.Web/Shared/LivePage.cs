using Microsoft.AspNetCore.Components;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Web.Shared;

/// <summary>
/// A component that asks for its data, asks again shortly after something it watches changed, and knows its four states.
/// Changes that arrive together are answered by one query; a slow query is never overtaken by an older one.
/// </summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300);
    private readonly CancellationTokenSource _gone = new();
    private CancellationTokenSource? _loading;
    private int _waiting;

    [Inject] private ConsoleChanges Changes { get; set; } = null!;

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
            Error = problem.Message;
            Loading = false;
        }
    }

    private void OnChanged(ConsoleChange change)
    {
        if ((change & Watches) != 0 && Interlocked.Exchange(ref _waiting, 1) == 0)
        {
            _ = InvokeAsync(RefreshSoonAsync);
        }
    }

    private async Task RefreshSoonAsync()
    {
        try
        {
            await Task.Delay(Settle, Time, _gone.Token);
            Volatile.Write(ref _waiting, 0);
            await ReloadAsync(live: true);
            StateHasChanged();
        }
        catch (OperationCanceledException)
        {
            // The page was left.
        }
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
