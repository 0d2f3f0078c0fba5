using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MudBlazor.Services;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web.Data;
using ThreatFeeds.Web.Shared;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>When an open page asks for its data, and what it says when there is none.</summary>
public sealed class LivePageTests : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);
    private readonly ManualClock _clock = new();
    private readonly Asked _asked = new();
    private readonly Heard _heard = new();
    private readonly ServiceProvider _services;
    private readonly HtmlRenderer _renderer;

    public LivePageTests()
    {
        _services = new ServiceCollection().AddSingleton<TimeProvider>(_clock).AddSingleton(_asked).AddSingleton<ILogger<Failures>>(_heard)
            .AddSingleton<ConsoleChanges>().AddScoped<NavigationManager, Nowhere>().AddMudBlazorSnackbar().AddScoped<Toasts>().AddScoped<Failures>().BuildServiceProvider();
        _renderer = new HtmlRenderer(_services, NullLoggerFactory.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _renderer.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task A_page_asks_for_what_it_watches_only_and_once_a_second_at_most()
    {
        await OpenAsync();
        Assert.Equal(1, _asked.Times);
        Raise(ConsoleChange.Searches, 100);
        _clock.Advance(ConsoleChanges.Pause * 2);
        await SettledAsync();
        Assert.Equal(1, _asked.Times);
        Raise(ConsoleChange.Alerts, 100);
        await SettledAsync();
        Assert.Equal(2, _asked.Times);
        _clock.Advance(ConsoleChanges.Pause);
        await SettledAsync();
        Assert.Equal(3, _asked.Times);
        _clock.Advance(ConsoleChanges.Pause * 10);
        await SettledAsync();
        Assert.Equal(3, _asked.Times);
    }

    [Fact]
    public async Task A_query_slower_than_the_changes_is_let_finish_and_then_asked_once_more()
    {
        await OpenAsync();
        _asked.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < 5; i++)
        {
            Raise(ConsoleChange.Alerts, 1);
            _clock.Advance(ConsoleChanges.Pause);
            await SettledAsync();
        }
        Assert.Equal((2, 0), (_asked.Times, _asked.BrokenOff));
        TaskCompletionSource hold = _asked.Hold;
        _asked.Hold = null;
        hold.SetResult();
        await UntilAsync(() => _asked.Times == 3);
        Assert.Equal((3, 0), (_asked.Times, _asked.BrokenOff));
    }

    [Fact]
    public async Task What_an_exception_says_is_for_the_log_and_the_page_shows_words()
    {
        _asked.Problem = new InvalidOperationException("SQLite Error 1: 'no such table: secret'");
        string page = await OpenAsync();
        Assert.Equal("The server could not do this now. Try again in a moment; if it stays so, its log has the reason.", page);
        (EventId id, Exception? exception) = Assert.Single(_heard.Events);
        Assert.Equal((EventIds.Web, _asked.Problem), (id.Id, exception));

        _asked.Problem = null;
        Raise(ConsoleChange.Alerts, 1);
        await SettledAsync();
        Assert.Equal("2", await PageAsync());
    }

    private Microsoft.AspNetCore.Components.Web.HtmlRendering.HtmlRootComponent? _root;

    private async Task<string> OpenAsync()
    {
        await _renderer.Dispatcher.InvokeAsync(async () => _root = await _renderer.RenderComponentAsync<Watching>());
        return await PageAsync();
    }

    private Task<string> PageAsync() => _renderer.Dispatcher.InvokeAsync(() => System.Net.WebUtility.HtmlDecode(_root!.Value.ToHtmlString()));

    private void Raise(ConsoleChange change, int times)
    {
        for (int i = 0; i < times; i++)
        {
            _services.GetRequiredService<ConsoleChanges>().Raise(change);
        }
    }

    /// <summary>Whatever was handed to the circuit before has begun by then.</summary>
    private Task SettledAsync() => _renderer.Dispatcher.InvokeAsync(() => Task.CompletedTask).WaitAsync(Bound, TimeProvider.System);

    private async Task UntilAsync(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Bound, $"asked {_asked.Times} times");
            await SettledAsync();
            await Task.Yield();
        }
    }

    /// <summary>What the page of these tests asks for.</summary>
    private sealed class Asked
    {
        public int Times { get; set; }

        public int BrokenOff { get; set; }

        public TaskCompletionSource? Hold { get; set; }

        public Exception? Problem { get; set; }
    }

    private sealed class Watching : LivePage
    {
        [Inject] private Asked Asked { get; set; } = null!;

        protected override ConsoleChange Watches => ConsoleChange.Alerts | ConsoleChange.Feeds;

        protected override Task OnInitializedAsync() => ReloadAsync();

        protected override async Task LoadAsync(bool live, CancellationToken cancellationToken)
        {
            Asked.Times++;
            using CancellationTokenRegistration seen = cancellationToken.Register(() => Asked.BrokenOff++);
            if (Asked.Hold is { } hold)
            {
                await hold.Task.WaitAsync(cancellationToken);
            }
            if (Asked.Problem is { } problem)
            {
                throw problem;
            }
        }

        protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, Error ?? $"{Asked.Times}");
    }

    /// <summary>Notices ask where the reader is.</summary>
    private sealed class Nowhere : NavigationManager
    {
        public Nowhere() => Initialize("http://localhost/", "http://localhost/");
    }

    private sealed class Heard : ILogger<Failures>
    {
        public List<(EventId Id, Exception? Exception)> Events { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Events.Add((eventId, exception));
    }
}
