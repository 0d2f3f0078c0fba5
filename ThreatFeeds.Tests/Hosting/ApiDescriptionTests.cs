using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>The description of the API is kept in the repository, so that a change of it is seen in review.</summary>
public sealed class ApiDescriptionTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public async Task The_description_kept_in_docs_is_the_one_served()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        JsonObject served = JsonNode.Parse(await app.Client.GetStringAsync("/openapi/v1.json"))!.AsObject();
        // Names the port of this run.
        served.Remove("servers");
        string text = served.ToJsonString(Indented) + "\n";
        string file = Path.Combine(SharedData.RepositoryRoot, "docs", "openapi.json");
        if (Environment.GetEnvironmentVariable("THREATFEEDS_WRITE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(file, text);
        }

        Assert.True(await File.ReadAllTextAsync(file) == text, "docs/openapi.json is not what the process serves; run this test with THREATFEEDS_WRITE_DOCS=1 and look at the difference.");
    }
}
