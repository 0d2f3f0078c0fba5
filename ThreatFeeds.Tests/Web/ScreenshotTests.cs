using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>Takes the README's pictures from the real demo: <c>docs/images/take</c>. Does nothing unless asked to.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class ScreenshotTests(ConsoleBrowser browser)
{
    private const int MaxBytes = 300_000;

    [BrowserFact]
    public async Task The_pictures_of_the_readme_are_of_the_demo()
    {
        if (Environment.GetEnvironmentVariable("THREATFEEDS_SCREENSHOTS") != "1")
        {
            return;
        }
        await using AppFixture app = await AppFixture.StartAsync("Demo=true");
        await using (ConsolePage wide = await browser.NewPageAsync(app))
        {
            await wide.OpenAsync("/feeds");
            // The last feed is pushed a minute after the demo has begun, and looked back for.
            await Expect(wide.Page.Locator(".feeds tr", new() { HasText = "incident-response" }).Locator(".hits .num")).ToHaveTextAsync("3", new() { Timeout = 180_000 });
            await Expect(wide.Page.Locator(".feeds .c-search").GetByText("Up to date")).ToHaveCountAsync(6);
            await Expect(wide.Page.Locator(".feeds .pill.ok")).ToHaveCountAsync(6);
            await Expect(wide.Page.GetByText("All logs searched")).ToBeVisibleAsync();
            await Expect(wide.Page.Locator(".side .count")).ToBeVisibleAsync();
            await TakeAsync(wide, "feeds");

            await wide.OpenAsync("/feeds/new");
            await wide.Input("Feed Name").FillAsync("botnet-addresses-2");
            await wide.Page.GetByLabel("Description").FillAsync("Addresses of botnets");
            await wide.ChooseAsync("Content type", "IPSet");
            await wide.ChooseAsync("Format", "csv");
            await wide.Page.GetByLabel("The first record is a header").CheckAsync();
            await wide.Input("Column").FillAsync("address");
            await wide.Input("Delimiter").FillAsync(";");
            await wide.Input("URL").FillAsync(new Uri(app.Address, "/samples/feeds/botnet-addresses.csv").ToString());
            await wide.Button("Test").ClickAsync();
            await Expect(wide.Heading("First indicators")).ToBeVisibleAsync();
            await TakeAsync(wide, "add");
        }
        await TakeAlertsAsync(app, "alerts", 1440, 900, ColorScheme.Light);
        await TakeAlertsAsync(app, "alerts-dark", 1440, 900, ColorScheme.Dark);
        await TakeAlertsAsync(app, "alerts-narrow", 390, 844, ColorScheme.Light);
    }

    private async Task TakeAlertsAsync(AppFixture app, string name, int width, int height, ColorScheme theme)
    {
        await using ConsolePage console = await browser.NewPageAsync(app, width, height, theme);
        await console.OpenAsync("/alerts");
        await Expect(console.Page.Locator("table.alerts")).ToBeVisibleAsync();
        if (width > 900)
        {
            await console.Link("updates.cdn-sync.example").ClickAsync();
            await Expect(console.Page.GetByText("is listed as")).ToBeVisibleAsync();
        }
        await TakeAsync(console, name);
    }

    private static async Task TakeAsync(ConsolePage console, string name)
    {
        string path = Path.Combine(SharedData.RepositoryRoot, "docs", "images", name + ".png");
        await console.Page.Mouse.MoveAsync(0, 0);
        byte[] picture = await console.Page.ScreenshotAsync(new() { Path = path, Animations = ScreenshotAnimations.Disabled, Caret = ScreenshotCaret.Hide });
        Assert.InRange(picture.Length, 1, MaxBytes);
        Assert.Empty(console.Complaints);
    }
}
