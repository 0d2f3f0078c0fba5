using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web.Data;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>What a page of the console may hold of manifests.</summary>
public sealed class ConsoleManifestTests
{
    private const string Manifest = "apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata:\n  name: f\nspec:\n  content: IPSet\n";

    [Fact]
    public async Task A_pasted_manifest_holds_its_room_until_the_page_lets_go_of_it()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        ConsoleManifests manifests = app.Services.GetRequiredService<ConsoleManifests>();
        PageBudget budget = app.Services.GetRequiredService<PageBudget>();
        ManifestReading read = manifests.Parse(Manifest);
        Assert.Equal("f", read.Manifest!["metadata"]!["name"]!.GetValue<string>());
        Assert.Equal((long)Manifest.Length * RequestBody.CopiesAsNodes, budget.Held);
        read.Held!.Dispose();
        read.Held.Dispose();
        Assert.Equal(0, budget.Held);
        Assert.Null(manifests.Parse("a: [").Manifest);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task What_cannot_be_pasted_is_said_with_the_limit_in_words()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        ConsoleManifests manifests = app.Services.GetRequiredService<ConsoleManifests>();
        Assert.Equal("Paste a manifest first.", Said(" \n"));
        Assert.Contains("more than 131,072 characters", Said(Manifest.PadRight(ConsoleManifests.MostCharacters + 1, '#')), StringComparison.Ordinal);
        Assert.NotNull(manifests.Parse(Manifest.PadRight(ConsoleManifests.MostCharacters, '\n')).Manifest);
        PageBudget budget = app.Services.GetRequiredService<PageBudget>();
        Assert.True(budget.TryTake(budget.Most - budget.Held));
        Assert.Contains("as many manifests as the server has room for", Said(Manifest), StringComparison.Ordinal);

        string Said(string text)
        {
            ManifestReading read = manifests.Parse(text);
            Assert.Null(read.Manifest);
            return Assert.Single(read.Problems).Message;
        }
    }
}
