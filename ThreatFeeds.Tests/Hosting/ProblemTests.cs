using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What clients are told of exceptions.</summary>
public sealed class ProblemTests
{
    [Fact]
    public void An_unknown_exception_says_nothing_of_itself()
    {
        ProblemResult problem = Problems.Describe(new InvalidOperationException("password=hunter2"));
        Assert.Equal((500, "internal"), (problem.Status, problem.Code));
        Assert.DoesNotContain("hunter2", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_that_is_no_JSON_is_a_400_with_its_place()
    {
        JsonException json = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<int[]>("[1,\n x]"));
        ProblemResult problem = Problems.Describe(new BadHttpRequestException("Failed to read.", json));
        Assert.Equal((400, "invalid-json"), (problem.Status, problem.Code));
        Assert.Contains("line 2", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_that_is_too_large_is_a_413() =>
        Assert.Equal((413, "too-large"), Of(new BadHttpRequestException("Request body too large.", 413)));

    [Fact]
    public void A_full_disk_is_a_507_whoever_met_it()
    {
        Assert.Equal((507, "storage-full"), Of(new LogStoreException("No room.", full: true, inner: null)));
        Assert.Equal((507, "storage-full"), Of(new DbUpdateException("Failed.", new SqliteException("database or disk is full", 13))));
        Assert.Equal((507, "storage-full"), Of(new IOException("No space left on device", 28)));
    }

    [Fact]
    public void A_log_store_that_cannot_answer_is_a_503() =>
        Assert.Equal((503, "log-store-unavailable"), Of(new LogStoreException("Gone.")));

    [Fact]
    public async Task A_parameter_that_cannot_be_read_is_named_without_the_type_it_has_here()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage answer = await app.Client.GetAsync("/v1/feeds/f/runs?limit=many");
        Assert.Equal(400, (int)answer.StatusCode);
        string detail = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.GetValue<string>();
        Assert.Contains("\"limit\"", detail, StringComparison.Ordinal);
        Assert.Contains("many", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("int", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_log_store_says_of_itself_stays_here()
    {
        foreach (bool full in new[] { true, false })
        {
            ProblemResult problem = Problems.Describe(new LogStoreException("/var/lib/threatfeeds/logs: permission denied", full, inner: null));
            Assert.DoesNotContain("/var/lib", problem.Detail, StringComparison.Ordinal);
        }
    }

    private static (int, string) Of(Exception exception)
    {
        ProblemResult problem = Problems.Describe(exception);
        return (problem.Status, problem.Code);
    }
}
