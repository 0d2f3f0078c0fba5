using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web.Data;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>Large manifests in the box for pasting.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class PasteTests(ConsoleBrowser browser)
{
    private const string Manifest = "apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata:\n  name: pasted\nspec:\n  content: IPSet\n#";

    [BrowserFact]
    public async Task The_largest_manifest_fills_the_form_and_a_larger_one_is_told_the_limit()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);
        await console.OpenAsync("/feeds/new?manifest=paste");
        ILocator fill = console.Page.GetByRole(AriaRole.Button, new() { Name = "Fill the form" });

        await PasteAsync(new string('"', 900_000));
        await Expect(console.Page.GetByText("more than 131,072 characters")).ToBeVisibleAsync();
        // Quotes take twice their place on the way.
        await PasteAsync(Manifest.PadRight(ConsoleManifests.MostCharacters, '"'));
        await Expect(console.Input("Feed Name")).ToHaveValueAsync("pasted");

        // As a person does: the box takes no more than it says.
        async Task PasteAsync(string text)
        {
            await console.Input("Manifest").FillAsync("");
            await console.Input("Manifest").FocusAsync();
            await console.Page.Keyboard.InsertTextAsync(text);
            await fill.ClickAsync();
        }
    }
}
