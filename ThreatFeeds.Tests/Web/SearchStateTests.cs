using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.ApiFeeds;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using ThreatFeeds.Web.Layout;
using ThreatFeeds.Web.Shared;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>What a reader is told of searching when not all is well: how much, what it means, what to do.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class SearchStateTests(ConsoleBrowser browser)
{
    [BrowserFact]
    public Task Records_set_aside_and_sources_gone_are_said_on_every_page() => WarningsAsync(1440, 900);

    [BrowserFact]
    public Task They_are_said_on_a_telephone() => WarningsAsync(390, 844);

    [BrowserFact]
    public async Task A_search_that_stands_still_is_said_and_that_nothing_is_lost()
    {
        var clock = new ManualClock(TimeProvider.System.GetUtcNow());
        await using AppFixture app = await AppFixture.StartAsync(clock, null);
        await app.PushNamesAsync("names", "bad.example");
        await app.PostAsync(Samples.Query("bad.example", "web-1"));
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => (await app.Client.GetStringAsync("/v1/searches")).Contains("\"idle\":true", StringComparison.Ordinal));
        await using ConsolePage console = await browser.NewPageAsync(app);
        await console.OpenAsync("/feeds");
        ILocator state = console.Page.Locator(".top .search-state");
        await Expect(state.Locator("summary")).ToHaveTextAsync("All logs searched");

        // Nothing happens from now on that would tell the page to look again.
        await AlterAsync(app, "ALTER TABLE hits RENAME TO mislaid");
        await app.PostAsync(Samples.Query("bad.example", "web-1"));
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(20), async () => (await app.Client.GetStringAsync("/v1/searches")).Contains("\"stalled\":true", StringComparison.Ordinal));
        clock.Advance(TimeSpan.FromMinutes(1));
        await Expect(state.Locator("summary")).ToHaveTextAsync("Searching stands still · 1 record behind");
        await state.Locator("summary").ClickAsync();
        await Expect(state.Locator(".notice.bad")).ToContainTextAsync("has not moved for five minutes");
        await Expect(state.Locator(".notice.bad")).ToContainTextAsync("nothing is lost");
        await AlterAsync(app, "ALTER TABLE mislaid RENAME TO hits");
    }

    [Fact]
    public async Task Each_warning_says_how_much_in_singular_and_plural_the_worst_first()
    {
        var now = new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        var gone = new GoneSource("a", LogKind.Flow, now.AddHours(-1));
        SearchState all = SearchState.Unknown with { Stalled = true, Dropped = 1, SetAside = 1, Gone = [gone, gone], RetentionWaitsUntil = now };
        Assert.Empty(SearchWarnings.Brief(SearchState.Unknown));
        Assert.Equal(["Searching stands still", "1 record lost unsearched", "1 record set aside", "2 sources gone", "Clock leapt ahead"], SearchWarnings.Brief(all));
        string page = await RenderAsync(all);
        Assert.Contains("<b>1 record was lost unsearched.</b>", page, StringComparison.Ordinal);
        Assert.Contains("It holds something that a feed lists", page, StringComparison.Ordinal);
        Assert.Contains("2 sources of logs are gone", page, StringComparison.Ordinal);
        Assert.Contains("the last, of flow logs, was given up <time datetime=\"2026-03-01T07:00:00Z\"", page, StringComparison.Ordinal);
        Assert.Contains("Until about 2026-03-01 08:00:00 UTC", page, StringComparison.Ordinal);
        page = await RenderAsync(SearchState.Unknown with { SetAside = 1200, Gone = [gone] });
        Assert.Contains("<b>1,200 records were set aside.</b>", page, StringComparison.Ordinal);
        Assert.Contains("<b>A source of flow logs is gone.</b>", page, StringComparison.Ordinal);
        Assert.Equal("", (await RenderAsync(SearchState.Unknown)).Trim());

        async Task<string> RenderAsync(SearchState state)
        {
            await using ServiceProvider services = new ServiceCollection().AddSingleton<TimeProvider>(new ManualClock(now)).AddScoped<Ticker>().BuildServiceProvider();
            await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
            return await renderer.Dispatcher.InvokeAsync(async () =>
                (await renderer.RenderComponentAsync<SearchWarnings>(ParameterView.FromDictionary(new Dictionary<string, object?> { ["State"] = state }))).ToHtmlString());
        }
    }

    private async Task WarningsAsync(int width, int height)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await app.PushNamesAsync("names", "bad.example");
        await app.PostAsync(Samples.Query("good.example", "web-1"));
        await app.IdleAsync();
        await using (ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create())
        {
            await db.AddAsync(Counters.SetAside, 3, default);
            db.GoneSources.Add(new GoneSourceRow { Source = "0a1b-dns", Kind = LogKind.Dns, GoneAt = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2) });
            await db.SaveChangesAsync();
        }
        await using ConsolePage console = await browser.NewPageAsync(app, width, height);
        IPage page = console.Page;
        foreach (string path in new[] { "/feeds", "/alerts", "/indicators/bad.example" })
        {
            await console.OpenAsync(path);
            ILocator state = page.Locator(".top .search-state");
            await Expect(state.Locator("summary")).ToHaveTextAsync("2 warnings");
            await state.Locator("summary").ClickAsync();
            ILocator panel = state.Locator(".says");
            await Expect(panel.Locator(".notice.warn")).ToHaveCountAsync(2);
            await Expect(panel).ToContainTextAsync("3 records were set aside");
            await Expect(panel).ToContainTextAsync("could not be stored as alerts");
            await Expect(panel).ToContainTextAsync("A source of DNS logs is gone");
            await Expect(panel).ToContainTextAsync("2 h ago");
            await Expect(panel).ToContainTextAsync("data folder");
            await Expect(panel).ToContainTextAsync("embedded/dns");
            LocatorBoundingBoxResult box = (await panel.BoundingBoxAsync())!;
            Assert.InRange(box.X, 0, width - box.Width);
            await console.AssertNothingScrollsSidewaysAsync();
            // To be read and copied: it closes by its own, and by a click elsewhere.
            await panel.Locator(".notice").First.ClickAsync();
            await Expect(panel).ToBeVisibleAsync();
            await page.Keyboard.PressAsync("Escape");
            await Expect(panel).ToBeHiddenAsync();
        }
        // "No open alerts" is not the whole truth then.
        await console.OpenAsync("/alerts");
        await Expect(console.Heading("No open alerts")).ToBeVisibleAsync();
        await Expect(page.Locator("main .notice.warn")).ToHaveCountAsync(2);
        await Expect(page.Locator("main")).ToContainTextAsync("3 records were set aside");
        Assert.Empty(console.Complaints);
    }

    private static async Task AlterAsync(AppFixture app, string sql)
    {
        await using ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create();
#pragma warning disable EF1002 // A constant.
        await db.Database.ExecuteSqlRawAsync(sql);
#pragma warning restore EF1002
    }
}
