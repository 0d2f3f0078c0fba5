using AngleSharp.Dom;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using ThreatFeeds.Web;
using ThreatFeeds.Web.Alerts;
using ThreatFeeds.Web.Feeds;
using ThreatFeeds.Web.Shared;
using Xunit;
using Severity = ThreatFeeds.Vocabulary.Severity;

namespace ThreatFeeds.Tests.Web;

/// <summary>What single components say of what they are given.</summary>
public sealed class ComponentTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private readonly ManualClock _clock = new(Now);
    private readonly BunitContext _context = new();

    public ComponentTests()
    {
        _context.JSInterop.Mode = JSRuntimeMode.Loose;
        _context.Services.AddSingleton<TimeProvider>(_clock);
        _context.Services.AddMudServices(options => WebRegistration.SetNotices(options.SnackbarConfiguration)).AddScoped<Ticker>().AddScoped<Toasts>();
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    [Fact]
    public void A_time_grows_older_by_itself_and_keeps_the_exact_one()
    {
        IRenderedComponent<TimeText> time = _context.Render<TimeText>(p => p.Add(t => t.Value, Now.AddMinutes(-59)));
        Assert.Equal("59 min ago", time.Find("time").TextContent);
        _clock.Advance(TimeSpan.FromMinutes(1));
        time.WaitForAssertion(() => Assert.Equal("1 h ago", time.Find("time").TextContent));
        Assert.Equal("2026-03-01 07:01:00 UTC", time.Find("time").GetAttribute("title"));
    }

    [Fact]
    public void Severities_are_told_apart_without_their_colours()
    {
        List<IElement> pills = [.. Enum.GetValues<Severity>().Select(s => _context.Render<SeverityPill>(p => p.Add(c => c.Severity, s)).Find(".pill"))];
        Assert.Equal(pills.Count, pills.Select(p => p.TextContent).Distinct().Count());
        Assert.Equal(pills.Count, pills.Select(p => p.QuerySelector("path")!.GetAttribute("d")).Distinct().Count());
    }

    [Fact]
    public void What_could_not_be_shown_is_said_before_all_else_and_can_be_tried_again()
    {
        int tries = 0;
        IRenderedComponent<Loadable> page = _context.Render<Loadable>(p => p.Add(l => l.What, "The alerts").Add(l => l.Loading, true).Add(l => l.Retry, () => tries++).AddChildContent("content"));
        Assert.Equal("Loading", page.Find("[role=status]").GetAttribute("aria-label"));
        page.Render(p => p.Add(l => l.Error, "no answer"));
        Assert.Equal("The alerts could not be shown", page.Find("[role=alert] h2").TextContent);
        Assert.DoesNotContain("content", page.Markup, StringComparison.Ordinal);
        page.Find("button").Click();
        Assert.Equal(1, tries);
        page.Render(p => p.Add(l => l.Error, null).Add(l => l.Loading, false));
        Assert.Equal("content", page.Markup);
    }

    [Fact]
    public void An_input_names_its_problems_and_its_hint()
    {
        var problems = new FeedProblems([new("spec.pull.period", "FieldValueInvalid", "too short"), new("metadata.name", "FieldValueInvalid", "not its own")]);
        IRenderedComponent<TextField> field = _context.Render<TextField>(p => p.AddCascadingValue(problems)
            .Add(f => f.Label, "Period").Add(f => f.Id, "period").Add(f => f.Path, "spec.pull.period").Add(f => f.Hint, "such as 1h"));
        IElement input = field.Find("#period");
        Assert.Equal("true", input.GetAttribute("aria-invalid"));
        Assert.Equal(["too short", "such as 1h"], input.GetAttribute("aria-describedby")!.Split(' ').Select(id => field.Find("#" + id).TextContent));
        Assert.Equal("period", field.Find("label").GetAttribute("for"));
    }

    [Theory]
    [InlineData(false, RunOutcome.Failed, "HTML instead of a list", 5, "Disabled set kept, not searched", "Not searched")]
    [InlineData(true, RunOutcome.Failed, "HTML instead of a list", 5, "5 min ago HTML instead of a list", "Last good set of 2 h ago")]
    [InlineData(true, RunOutcome.Failed, "HTML instead of a list", 0, "5 min ago HTML instead of a list", "Nothing to search for")]
    [InlineData(true, RunOutcome.Replaced, null, 5, "5 min ago Replaced", "Up to date")]
    public void A_feeds_health_is_in_words_and_says_what_is_searched_meanwhile(bool enabled, RunOutcome outcome, string? health, long indicators, string pulled, string searched)
    {
        FeedOverview feed = Feed(enabled, outcome, health, indicators);
        Assert.Equal(pulled, Said(_context.Render<FeedHealth>(p => p.Add(h => h.Feed, feed))));
        Assert.Equal(searched, Said(_context.Render<FeedSearched>(p => p.Add(h => h.Feed, feed))));
    }

    [Fact]
    public void No_alert_is_good_news_only_when_everything_was_compared()
    {
        SearchState state = SearchState.Unknown with { Sources = [new SourceState("cluster/dns", LogKind.Dns, 1, Now.AddMinutes(-2))] };
        Assert.Contains("1 record is not yet compared. The last record arrived 2 min ago .", Words(state), StringComparison.Ordinal);
        Assert.Contains("All records kept have been compared with every enabled feed.", Words(state with { Sources = [state.Sources[0] with { Behind = 0 }] }), StringComparison.Ordinal);
        Assert.Contains("still being compared with new indicators", Words(state with { Sources = [state.Sources[0] with { Behind = 0 }], LookBacks = [new LookBackState("names", 1, 10)] }), StringComparison.Ordinal);

        string Words(SearchState searches) => Said(_context.Render<NoAlerts>(p => p.Add(n => n.Searches, searches)));
    }

    [Fact]
    public async Task A_feed_is_deleted_by_its_whole_name_only_and_escape_keeps_it()
    {
        IRenderedComponent<MudDialogProvider> dialogs = _context.Render<MudDialogProvider>(p => p.Add(d => d.CloseOnEscapeKey, true));
        Task<bool> asked = Ask();
        dialogs.Find("#delete-name").Input("name");
        Assert.True(dialogs.Find("button[type=submit]").HasAttribute("disabled"));
        await dialogs.Find("form").SubmitAsync();
        Assert.False(asked.IsCompleted);
        dialogs.Find("#delete-name").Input("names");
        Assert.False(dialogs.Find("button[type=submit]").HasAttribute("disabled"));
        await dialogs.Find("form").SubmitAsync();
        Assert.True(await asked);

        asked = Ask();
        await dialogs.InvokeAsync(() => dialogs.FindAll("button").Single(b => b.TextContent == "Cancel").Click());
        Assert.False(await asked);

        Task<bool> Ask() => dialogs.InvokeAsync(() =>
        {
            Task<IDialogReference> shown = _context.Services.GetRequiredService<IDialogService>().ShowAsync<DeleteFeed>(null, new DialogParameters<DeleteFeed> { { d => d.Feed, Feed(true, RunOutcome.Replaced, null, 5) } });
            return Questions.AnswerAsync(shown);
        });
    }

    [Fact]
    public void Two_things_done_in_the_same_words_can_both_be_taken_back()
    {
        IRenderedComponent<MudSnackbarProvider> notices = _context.Render<MudSnackbarProvider>();
        Toasts toasts = _context.Services.GetRequiredService<Toasts>();
        var undone = new List<int>();
        foreach (int deed in new[] { 1, 2 })
        {
            toasts.Undoable("1 alert dismissed.", () =>
            {
                undone.Add(deed);
                return Task.CompletedTask;
            });
        }
        notices.WaitForAssertion(() => Assert.Equal(2, notices.FindAll(".mud-snackbar-action-button").Count));
        notices.FindAll(".mud-snackbar-action-button")[1].Click();
        notices.FindAll(".mud-snackbar-action-button")[0].Click();
        Assert.Equal([1, 2], undone.Order());
    }

    private static FeedOverview Feed(bool enabled, RunOutcome outcome, string? health, long indicators)
    {
        var spec = new FeedSpec(ContentKind.DomainNameSet, enabled, "", false, null, null);
        var run = new FeedRun("1", "names", RunTrigger.Schedule, Now.AddMinutes(-6), Now.AddMinutes(-5), outcome, indicators, 0, 0, 0, 0, null);
        return new FeedOverview(new Feed("names", Guid.Empty, 1, spec, new Dictionary<string, string>(), new Dictionary<string, string>()), indicators, Now.AddHours(-2), run, health, null,
            null, null, 0, null, [], Now.AddDays(-1), 1);
    }

    /// <summary>The texts of a component, in their order.</summary>
    private static string Said<T>(IRenderedComponent<T> component) where T : IComponent =>
        string.Join(' ', component.Nodes.SelectMany(n => n.DescendantsAndSelf<IText>()).SelectMany(t => t.Data.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
}
