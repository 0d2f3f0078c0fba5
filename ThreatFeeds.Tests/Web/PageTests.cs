using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>What every page owes its reader, whatever is in it.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class PageTests(ConsoleBrowser browser)
{
    private const string Hostile = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";

    /// <summary>Each page of an empty store, with what it says there.</summary>
    private static readonly (string Path, string Heading)[] _empty =
    [
        ("/", "No threat feed yet"),
        ("/feeds", "No threat feed yet"),
        ("/feeds/new", "Add a New Threat Feed"),
        ("/feeds/absent", "absent is not a feed"),
        ("/alerts", "No logs received yet"),
        ("/alerts?severity=high", "No alert with these filters"),
        ("/alerts?id=absent", "This alert is no longer kept"),
        ("/indicators/nowhere.example", "Not listed"),
        ("/indicators/nothing", "Neither a name nor an address"),
        ("/not-found", "There is no such page"),
    ];

    [BrowserFact]
    public Task Each_page_says_what_to_do_while_there_is_nothing_to_show() => EmptyPagesAsync(1440, 900);

    [BrowserFact]
    public Task Each_empty_page_fits_a_telephone() => EmptyPagesAsync(390, 844);

    [BrowserFact]
    public async Task A_mistyped_address_is_answered_with_a_page()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);

        IResponse? answer = await console.Page.GotoAsync(new Uri(app.Address, "/no/such/page").ToString());
        Assert.Equal(404, answer!.Status);
        await Expect(console.Heading("There is no such page")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task What_feeds_and_logs_contain_is_shown_and_never_run()
    {
        await using AppFixture app = await AppFixture.StartAsync("Pulling:AllowedNetworks=127.0.0.0/8");
        await using LoopbackServer lists = await LoopbackServer.StartAsync();
        string longest = string.Join('.', Enumerable.Repeat(new string('a', 60), 4));
        Uri list = lists.Serve("/names.txt", $"badhost.example\n{longest}\n{Hostile}\n");
        await app.CreateAsync(Samples.Feed("names", list, Hostile));
        await using ConsolePage console = await browser.NewPageAsync(app, 390, 844);
        IPage page = console.Page;

        await console.OpenAsync("/feeds");
        await Expect(page.GetByText(Hostile)).ToBeVisibleAsync();
        await page.Locator(".feeds tbody tr").HoverAsync();
        await Expect(page.Locator(".feeds td.c-content")).ToBeHiddenAsync();
        await console.AssertNothingScrollsSidewaysAsync();

        await console.OpenAsync("/feeds/names/edit");
        await console.Button("Test").ClickAsync();
        await Expect(page.Locator(".refusal")).ToContainTextAsync("onerror");
        await console.AssertNothingScrollsSidewaysAsync();

        await console.OpenAsync("/feeds/names");
        await Expect(console.Link(longest)).ToBeVisibleAsync();
        await console.AssertNothingScrollsSidewaysAsync();

        await app.PostAsync(Samples.Query("badhost.example", Hostile, Hostile, Hostile), Samples.Query(longest, "pod"));
        await console.OpenAsync("/alerts");
        await Expect(console.Link(longest)).ToBeVisibleAsync();
        await console.AssertNothingScrollsSidewaysAsync();
        await console.Link("badhost.example").ClickAsync();
        ILocator detail = page.GetByRole(AriaRole.Complementary, new() { Name = "Alert" });
        await Expect(detail.GetByText("app=" + Hostile)).ToBeVisibleAsync();
        await detail.Locator("details.hit summary").ClickAsync();
        await Expect(detail.Locator("pre")).ToContainTextAsync("onerror");
        await console.AssertNothingScrollsSidewaysAsync();

        await console.OpenAsync("/indicators/" + Uri.EscapeDataString(Hostile));
        await Expect(console.Heading("Neither a name nor an address")).ToBeVisibleAsync();
        await console.AssertNothingScrollsSidewaysAsync();

        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.True(await page.EvaluateAsync<bool>("window.hacked === undefined"));
        Assert.Empty(console.Complaints);
    }

    private async Task EmptyPagesAsync(int width, int height)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app, width, height);
        foreach ((string path, string heading) in _empty)
        {
            await console.OpenAsync(path);
            await Expect(console.Heading(heading)).ToBeVisibleAsync();
            await console.AssertNothingScrollsSidewaysAsync();
        }
        Assert.Empty(console.Complaints);
    }
}
