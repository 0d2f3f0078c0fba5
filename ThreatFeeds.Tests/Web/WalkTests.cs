using System.Net;
using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>What a reader does with the console, from the first feed on.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class WalkTests(ConsoleBrowser browser)
{
    private const string Loopback = "Pulling:AllowedNetworks=127.0.0.0/8";

    [BrowserFact]
    public async Task A_feed_is_added_and_tested_and_its_first_alert_appears_by_itself()
    {
        await using AppFixture app = await AppFixture.StartAsync(Loopback);
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        Uri list = lists.Serve("/names.txt", "# bad names\nBadHost.example\nphish.example\nhttp://url.example/x\n");
        await using ConsolePage console = await browser.NewPageAsync(app);
        IPage page = console.Page;

        await console.OpenAsync("/");
        await page.GetByRole(AriaRole.Link, new() { Name = "Add Feed" }).First.ClickAsync();
        await console.Input("Feed Name").FillAsync("my.names");
        await console.ChooseAsync("Content type", "DomainNameSet");
        await console.Input("URL").FillAsync(list.ToString());
        await console.Button("Test").ClickAsync();
        ILocator test = page.GetByRole(AriaRole.Complementary, new() { Name = "Test" });
        await Expect(test.GetByText("badhost.example")).ToBeVisibleAsync();
        await Expect(test.GetByText("http://url.example/x")).ToBeVisibleAsync();
        Assert.Equal("""{"items":[],"next":null}""", (await app.Client.GetStringAsync("/v1/alerts")).Replace(" ", "", StringComparison.Ordinal));
        await console.Button("Save Changes").ClickAsync();
        await Expect(console.Heading("my.names")).ToBeVisibleAsync();
        await Expect(console.Link("phish.example")).ToBeVisibleAsync();

        await console.Link("Alerts").ClickAsync();
        await Expect(console.Heading("No logs received yet")).ToBeVisibleAsync();
        await app.PostAsync(Samples.Query("good.example", "other-1"), Samples.Query("badhost.example", "checkout-7d9c5b-x2lkq"));
        await console.Link("badhost.example").ClickAsync();
        ILocator detail = page.GetByRole(AriaRole.Complementary, new() { Name = "Alert" });
        await Expect(detail.GetByText("checkout-7d9c5b-x2lkq", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(detail.GetByText("app=checkout")).ToBeVisibleAsync();
        await Expect(detail.GetByText("Query name is listed as")).ToBeVisibleAsync();
        await Expect(detail.GetByRole(AriaRole.Link, new() { Name = "my.names" })).ToBeVisibleAsync();
        await detail.Locator("details.hit summary").ClickAsync();
        await Expect(detail.GetByText("203.0.113.80")).ToBeVisibleAsync();

        await console.Button("Dismiss").ClickAsync();
        await Expect(console.Heading("No open alerts")).ToBeVisibleAsync();
        await console.Button("Undo").ClickAsync();
        await Expect(page.Locator("table.alerts").GetByText("badhost.example")).ToBeVisibleAsync();
        await console.Button("Acknowledge").ClickAsync();
        await Expect(detail.GetByText("Acknowledged", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Empty(console.Complaints);
    }

    [BrowserFact]
    public async Task A_manifest_that_was_downloaded_changed_and_applied_again_shows_without_a_reload()
    {
        await using AppFixture app = await AppFixture.StartAsync(Loopback);
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        await app.CreateAsync(Samples.Feed("names", lists.Serve("/names.txt", "badhost.example\n"), "as it was"));
        await using ConsolePage console = await browser.NewPageAsync(app);

        await console.OpenAsync("/feeds");
        await console.Page.GetByLabel("Actions for names").ClickAsync();
        IDownload download = await console.Page.RunAndWaitForDownloadAsync(() => console.Link("Download manifest").ClickAsync());
        Assert.Equal("names.yaml", download.SuggestedFilename);
        string manifest = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.Contains("as it was", manifest, StringComparison.Ordinal);

        using HttpResponseMessage applied = await app.SendAsync(HttpMethod.Put, Samples.Feeds + "/names", manifest.Replace("as it was", "as it is now", StringComparison.Ordinal), "application/yaml");
        Assert.Equal(HttpStatusCode.OK, applied.StatusCode);
        await Expect(console.Page.GetByText("as it is now")).ToBeVisibleAsync();
        Assert.Empty(console.Complaints);
    }

    [BrowserFact]
    public async Task A_pasted_manifest_becomes_a_feed_that_is_disabled_enabled_and_deleted_by_its_name()
    {
        await using AppFixture app = await AppFixture.StartAsync(Loopback);
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        Uri list = lists.Serve("/names.txt", "badhost.example\n");
        await using ConsolePage console = await browser.NewPageAsync(app);
        IPage page = console.Page;

        await console.OpenAsync("/feeds/new?manifest=paste");
        await console.Input("Manifest").FillAsync($"apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata:\n  name: pasted\n  labels:\n    team: soc\nspec:\n  content: DomainNameSet\n  pull:\n    http:\n      url: {list}\n");
        await console.Button("Fill the form").ClickAsync();
        await Expect(console.Input("Feed Name")).ToHaveValueAsync("pasted");
        await console.Button("Save Changes").ClickAsync();
        await Expect(console.Link("badhost.example")).ToBeVisibleAsync();
        await Expect(page.GetByText("team=soc")).ToBeVisibleAsync();

        ILocator menu = page.GetByLabel("Actions for pasted");
        await menu.ClickAsync();
        await console.Button("Disable…").ClickAsync();
        await console.Button("Disable").ClickAsync();
        await Expect(page.GetByText("set kept, not searched")).ToBeVisibleAsync();
        await console.Button("Undo").ClickAsync();
        await Expect(page.GetByText("set kept, not searched")).ToBeHiddenAsync();

        await console.OpenAsync("/feeds");
        await menu.ClickAsync();
        await console.Button("Delete…").ClickAsync();
        await Expect(console.Button("Delete feed and set")).ToBeDisabledAsync();
        await page.GetByLabel("Type pasted to delete it").FillAsync("pasted");
        await console.Button("Delete feed and set").ClickAsync();
        await Expect(console.Heading("No threat feed yet")).ToBeVisibleAsync();
        Assert.Empty(console.Complaints);
    }

    [BrowserFact]
    public async Task Problems_of_a_form_are_shown_at_their_fields_and_nothing_is_saved()
    {
        await using AppFixture app = await AppFixture.StartAsync(Loopback);
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);

        await console.OpenAsync("/feeds/new");
        await console.Input("Feed Name").FillAsync("Not A Name");
        await console.Input("Period").FillAsync("1s");
        await console.Button("Save Changes").ClickAsync();
        await Expect(console.Page.Locator(".f.wrong", new() { Has = console.Page.Locator("#name") })).ToContainTextAsync("RFC 1123");
        await Expect(console.Page.Locator(".f.wrong", new() { Has = console.Page.Locator("#url") })).ToBeVisibleAsync();
        Assert.Contains("\"items\":[]", await app.Client.GetStringAsync(Samples.Feeds), StringComparison.Ordinal);

        // A wrong name does not keep a feed from being tested, and is still said to be wrong.
        await console.Input("Period").FillAsync("1h");
        await console.ChooseAsync("Content type", "DomainNameSet");
        await console.Input("URL").FillAsync(lists.Serve("/names.txt", "badhost.example\n").ToString());
        await console.Button("Test").ClickAsync();
        await Expect(console.Page.GetByText("badhost.example")).ToBeVisibleAsync();
        await Expect(console.Page.Locator(".f.wrong")).ToHaveCountAsync(1);
        Assert.Empty(console.Complaints);
    }

    [BrowserFact]
    public async Task The_theme_is_the_systems_until_one_is_chosen_which_is_remembered()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);
        ILocator body = console.Page.Locator("body");
        (string light, string dark) = ("rgb(246, 247, 249)", "rgb(11, 15, 22)");

        await console.OpenAsync("/feeds");
        await Expect(body).ToHaveCSSAsync("background-color", light);
        await console.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Expect(body).ToHaveCSSAsync("background-color", dark);
        await console.Button("Switch between light and dark").ClickAsync();
        await Expect(body).ToHaveCSSAsync("background-color", light);
        // The page as it comes, before any script of the library or the server has a say.
        await console.Page.RouteAsync("**/*.js", route => route.Request.Url.EndsWith("theme.js", StringComparison.Ordinal) ? route.ContinueAsync() : route.AbortAsync());
        await console.Page.GotoAsync(new Uri(app.Address, "/alerts").ToString());
        await Expect(body).ToHaveCSSAsync("background-color", light);
        await Expect(console.Page.Locator("html")).ToHaveCSSAsync("color-scheme", "light");
    }
}
