using Microsoft.Playwright;
using ThreatFeeds.Tests.ApiFeeds;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>A damaged set is an error of its own part of a page, in words that say what to do.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class DamagedSetPageTests(ConsoleBrowser browser)
{
    [BrowserFact]
    public async Task Its_feed_and_a_look_up_say_which_set_is_damaged_and_the_rest_of_the_page_works()
    {
        using var folder = new TemporaryFolder();
        await using (AppFixture before = await AppFixture.StartAsync(TimeProvider.System, folder.Path))
        {
            await before.PushNamesAsync("spoiled", "bad.example", "worse.example");
            await before.PushNamesAsync("whole", "bad.example");
            await before.IdleAsync();
            await before.DamageAsync("spoiled", "bytes changed");
        }
        await using AppFixture app = await AppFixture.StartAsync(TimeProvider.System, folder.Path);
        await using ConsolePage console = await browser.NewPageAsync(app);
        IPage page = console.Page;

        await console.OpenAsync("/feeds/spoiled");
        await Expect(console.Heading("The indicators could not be shown")).ToBeVisibleAsync();
        await Expect(page.Locator("main .card.empty")).ToContainTextAsync("The stored set of feed spoiled is damaged");
        await Expect(page.Locator("main .card.empty")).ToContainTextAsync("Pull or push the feed once more");
        await Expect(page.Locator(".strip")).ToBeVisibleAsync();
        await console.Link("Runs").ClickAsync();
        await Expect(page.Locator("table.runs")).ToBeVisibleAsync();
        await console.Link("Manifest").ClickAsync();
        await Expect(page.Locator("main")).ToContainTextAsync("kind: GlobalThreatFeed");

        await console.OpenAsync("/indicators/bad.example");
        await Expect(console.Link("whole")).ToBeVisibleAsync();
        await Expect(page.Locator(".notice.warn")).ToContainTextAsync("The stored set of feed spoiled is damaged");
        await console.OpenAsync("/indicators/worse.example");
        await Expect(console.Heading("Not known to be listed")).ToBeVisibleAsync();
        await Expect(page.Locator(".notice.warn")).ToContainTextAsync("Pull or push the feed once more");

        await app.PushNamesAsync("spoiled", "bad.example", "worse.example");
        await console.OpenAsync("/feeds/spoiled");
        await Expect(console.Link("worse.example")).ToBeVisibleAsync();
    }
}
