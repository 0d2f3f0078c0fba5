using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>What axe can see of each page, in both themes, on a desk and on a telephone: nothing to complain of.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class AccessibilityTests(ConsoleBrowser browser)
{
    /// <summary>The rules that see colours; in the second theme nothing else differs.</summary>
    private static readonly AxeRunOptions _colours = new() { RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast", "link-in-text-block"] } };

    [BrowserFact]
    public Task Pages_with_content_are_without_fault() => VisitAsync(ContentAsync, 1440, 900);

    [BrowserFact]
    public Task Pages_with_content_are_without_fault_on_a_telephone() => VisitAsync(ContentAsync, 390, 844);

    [BrowserFact]
    public Task Pages_without_content_are_without_fault() => VisitAsync(EmptyAsync, 1440, 900);

    [BrowserFact]
    public Task Pages_without_content_are_without_fault_on_a_telephone() => VisitAsync(EmptyAsync, 390, 844);

    private static async Task EmptyAsync(AppFixture app, ConsolePage console, Func<string, Task> judge)
    {
        foreach (string path in new[] { "/feeds", "/feeds/new", "/feeds/absent", "/alerts", "/alerts?severity=high", "/alerts?id=absent", "/indicators/nowhere.example", "/indicators/nothing", "/not-found" })
        {
            await console.OpenAsync(path);
            await Expect(console.Page.Locator("main :is(h1, h2)").First).ToBeVisibleAsync();
            await judge(path);
        }
    }

    private static async Task ContentAsync(AppFixture app, ConsolePage console, Func<string, Task> judge)
    {
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        IPage page = console.Page;
        await app.CreateAsync(Samples.Feed("names", lists.Serve("/names.txt", "badhost.example\nhttp://refused.example/x\n"), "Bad names"));
        await app.CreateAsync(Samples.Feed("failing", lists.Serve("/page.html", "<!DOCTYPE html><html><body>no list</body></html>", "text/html"), "A page instead of a list"));
        await app.PostAsync(Samples.Query("badhost.example", "checkout-7d9c5b-x2lkq"), Samples.Query("badhost.example", "web-1", "front"), Samples.Query("good.example", "web-1"));

        await console.OpenAsync("/feeds");
        await Expect(page.Locator(".feeds .pill.bad")).ToBeVisibleAsync();
        await judge("feeds");
        await page.GetByLabel("Actions for names").ClickAsync();
        await judge("feeds, a menu");
        await console.Button("Delete…").ClickAsync();
        await Expect(console.Input("Type names to delete it")).ToBeFocusedAsync();
        await judge("feeds, deleting");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(page.GetByLabel("Actions for names")).ToBeFocusedAsync();
        await page.Locator(".search-state summary").ClickAsync();
        await judge("feeds, the state of searching");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByLabel("Actions for names").ClickAsync();
        await console.Button("Pull now").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Pulling names");
        await judge("feeds, a notice");
        await page.Keyboard.PressAsync("?");
        await judge("feeds, keys");

        await console.OpenAsync("/feeds/new");
        await judge("adding a feed");
        await console.Input("Feed Name").FillAsync("Not A Name");
        await console.ChooseAsync("Content type", "DomainNameSet");
        await console.ChooseAsync("Format", "csv");
        await console.Input("URL").FillAsync(new Uri(lists.Address, "/names.txt").ToString());
        await console.Button("Test").ClickAsync();
        await Expect(page.Locator(".strip.small")).ToBeVisibleAsync();
        await page.GetByText("Headers, matching, network set").ClickAsync();
        await console.Button("Add a header").ClickAsync();
        await judge("adding a feed, tested, with a problem");
        await console.Input("Format").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Option).First).ToBeVisibleAsync();
        await judge("adding a feed, choosing");
        await console.OpenAsync("/feeds/new?manifest=paste");
        await judge("pasting a manifest");

        foreach (string tab in new[] { "", "?tab=runs", "?tab=manifest" })
        {
            await console.OpenAsync("/feeds/names" + tab);
            await Expect(page.Locator("main table, main pre").First).ToBeVisibleAsync();
            await judge("a feed " + tab);
        }
        await console.OpenAsync("/feeds/failing?tab=runs");
        await judge("a feed that fails");

        await console.OpenAsync("/alerts");
        await page.GetByLabel("Select badhost.example").First.CheckAsync();
        await Expect(page.GetByRole(AriaRole.Toolbar, new() { Name = "Selected alerts" })).ToBeVisibleAsync();
        await judge("alerts, one selected");
        await page.Locator("table.alerts a[data-open]").First.ClickAsync();
        await page.Locator("details.hit summary").First.ClickAsync();
        await judge("an alert");
        await console.OpenAsync("/indicators/badhost.example");
        await Expect(page.Locator("table.alerts")).ToBeVisibleAsync();
        await judge("an indicator");
    }

    private async Task VisitAsync(Func<AppFixture, ConsolePage, Func<string, Task>, Task> walk, int width, int height)
    {
        await using AppFixture app = await AppFixture.StartAsync("Pulling:AllowedNetworks=127.0.0.0/8");
        await using ConsolePage console = await browser.NewPageAsync(app, width, height);
        ILocator root = console.Page.Locator("html");
        var faults = new List<string>();
        await walk(app, console, async where =>
        {
            Judge(where, await console.Page.RunAxe());
            await console.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await Expect(root).ToHaveCSSAsync("color-scheme", "dark");
            Judge(where + ", dark", await console.Page.RunAxe(_colours));
            await console.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
            await Expect(root).ToHaveCSSAsync("color-scheme", "light");
        });
        Assert.Empty(faults);
        Assert.Empty(console.Complaints);

        void Judge(string where, AxeResult seen)
        {
            Assert.Contains(seen.Passes, p => p.Id == "color-contrast");
            faults.AddRange(from violation in seen.Violations from node in violation.Nodes select $"{where}: {violation.Id} ({violation.Help}): {node.Html}");
        }
    }
}
