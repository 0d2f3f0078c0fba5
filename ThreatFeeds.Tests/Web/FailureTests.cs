using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.House;
using ThreatFeeds.Tests.Support;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>When the rooms behind a page fail, its reader is told in words what to do, and nothing of the exception.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class FailureTests(ConsoleBrowser browser)
{
    [BrowserFact]
    public async Task A_page_whose_data_cannot_be_had_says_so_in_words_and_offers_to_try_again()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await app.CreateAsync(Samples.Feed("kept", new Uri("https://feeds.example/")));
        await using ConsolePage console = await browser.NewPageAsync(app);
        await console.OpenAsync("/feeds");
        await Expect(console.Link("kept")).ToBeVisibleAsync();
        await RenameAsync(app, "resources", "resources_away");
        foreach (string path in new[] { "/feeds", "/feeds/kept", "/feeds/kept/edit" })
        {
            await console.OpenAsync(path);
            await Expect(console.Page.GetByText("The server could not do this now. Try again in a moment").First).ToBeVisibleAsync();
            Assert.DoesNotMatch("SQLite|no such table|Exception", await console.Page.ContentAsync());
        }
        await RenameAsync(app, "resources_away", "resources");
        await console.OpenAsync("/feeds");
        await Expect(console.Link("kept")).ToBeVisibleAsync();

        // Away only once the page is there: a click then fails.
        await RenameAsync(app, "resources", "resources_away");
        await console.Page.GetByLabel("Actions for kept").ClickAsync();
        await console.Button("Pull now").ClickAsync();
        await Expect(console.Page.GetByText("Nothing was changed. The server could not do this now.")).ToBeVisibleAsync();
        Assert.DoesNotMatch("SQLite|no such table|Exception", await console.Page.ContentAsync());
    }

    [Fact]
    public void No_page_shows_what_an_exception_says()
    {
        IEnumerable<string> caught = from file in Sources.In("ThreatFeeds.Web")
                                     from Match match in Regex.Matches(file.Text, @"catch \((\w+) (\w+)\)(?:[^{]*)\{[^}]*\b\2\.(?:Message|ToString)", RegexOptions.Singleline)
                                     // Its message is written for whoever wrote the manifest.
                                     where match.Groups[1].Value != "ManifestException"
                                     select $"{file.Path}: {match.Value}";
        Assert.Empty(caught);
    }

    private static async Task RenameAsync(AppFixture app, string from, string to)
    {
        await using ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create();
        string rename = $"ALTER TABLE {from} RENAME TO {to}";
        await db.Database.ExecuteSqlRawAsync(rename);
    }
}
