using System.Net;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>Health and the API's description.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task A_started_process_is_alive_and_ready()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        Assert.Equal("ok\n", await app.Client.GetStringAsync("/livez"));
        JsonNode ready = JsonNode.Parse(await app.Client.GetStringAsync("/readyz"))!;
        Assert.True(ready["ready"]!.GetValue<bool>());
        Assert.Equal("database", ready["checks"]![0]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_its_database_it_is_alive_but_not_ready_and_says_why()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        foreach (string file in Directory.GetFiles(app.DataDirectory, "threatfeeds.db*"))
        {
            File.Delete(file);
        }
        using HttpResponseMessage response = await app.Client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        JsonNode check = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["checks"]![0]!;
        Assert.False(check["ok"]!.GetValue<bool>());
        Assert.NotNull(check["reason"]);
        Assert.Equal("ok\n", await app.Client.GetStringAsync("/livez"));
    }

    [Fact]
    public async Task The_API_is_described()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        JsonNode document = JsonNode.Parse(await app.Client.GetStringAsync("/openapi/v1.json"))!;
        Assert.Equal("ThreatFeeds", document["info"]!["title"]!.GetValue<string>());
        Assert.NotNull(document["paths"]!["/readyz"]!["get"]!["summary"]);
        Assert.Contains("\"ready\"", document["paths"]!["/readyz"]!["get"]!["responses"]!["200"]!.ToJsonString(), StringComparison.Ordinal);
        foreach ((string path, JsonNode? calls) in document["paths"]!.AsObject().Where(p => p.Key.StartsWith("/v1/", StringComparison.Ordinal)))
        {
            foreach ((string method, JsonNode? call) in calls!.AsObject())
            {
                Assert.True(call!["summary"] is not null, $"{method} {path} has no summary.");
                Assert.True(call["responses"]!["500"] is not null, $"{method} {path} does not say how it fails.");
            }
        }
    }

    [Fact]
    public async Task The_pages_of_the_API_need_no_inline_script_and_no_foreign_file()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        string page = await app.Client.GetStringAsync("/swagger/index.html");
        Assert.DoesNotMatch(@"<script(?![^>]*\ssrc=)[^>]*>", page);
        Assert.DoesNotMatch(@"(src|href)=""(https?:)?//", page);
        foreach (string file in new[] { "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css", "index.js", "index.css" })
        {
            using HttpResponseMessage response = await app.Client.GetAsync("/swagger/" + file);
            Assert.True(response.IsSuccessStatusCode, file);
        }
        Assert.Contains("/openapi/v1.json", await app.Client.GetStringAsync("/swagger/index.js"), StringComparison.Ordinal);
    }
}
