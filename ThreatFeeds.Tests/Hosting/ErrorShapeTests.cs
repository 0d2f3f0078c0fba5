using System.Net;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>An error looks as the clients of a path know it, whoever found it: a guard, the framework, or a call of ours.</summary>
public sealed class ErrorShapeTests
{
    [Theory]
    [InlineData("/v1/alerts", "problem")]
    [InlineData("/feeds", "problem")]
    [InlineData("/metrics", "problem")]
    [InlineData("/apis/projectcalico.org/v3/globalthreatfeeds", "status")]
    [InlineData("/api/v1", "status")]
    [InlineData("/elasticsearch/.tigera.ipset.cluster/_doc/f", "elastic")]
    public async Task A_guard_answers_in_the_shape_of_the_path(string path, string shape)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var foreignHost = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "rebound.example.org" } };
        await AnswersAsync(app, foreignHost, 421, shape, "Http:AllowedHosts");
        using var foreignPage = new HttpRequestMessage(HttpMethod.Delete, path);
        foreignPage.Headers.Add("Origin", "https://evil.example");
        await AnswersAsync(app, foreignPage, 403, shape, "another origin");
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "problem")]
    [InlineData("GET", "/nothing", 404, "problem")]
    [InlineData("GET", "/samples/feeds/nothing", 404, "problem")]
    [InlineData("GET", "/apis/nothing", 404, "status")]
    [InlineData("GET", "/api", 404, "status")]
    [InlineData("GET", "/APIS/nothing", 404, "status")]
    [InlineData("POST", "/v1/alerts", 405, "problem")]
    [InlineData("DELETE", "/livez", 405, "problem")]
    [InlineData("PUT", "/apis/projectcalico.org/v3/globalthreatfeeds", 405, "status")]
    [InlineData("POST", "/feeds", 400, "problem")]
    public async Task What_no_call_answers_is_said_in_the_shape_of_the_path(string method, string path, int status, string shape)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        await AnswersAsync(app, request, status, shape, "");
    }

    [Theory]
    [InlineData("PATCH", "/v1/alerts/a", "text/plain", 10, 415, "problem", "Content-Type")]
    [InlineData("PATCH", "/v1/alerts/a", "application/json", (1 << 20) + 1, 413, "problem", "larger than")]
    [InlineData("POST", "/v1/feeds/preview", "text/csv", 10, 415, "problem", "Content-Type")]
    [InlineData("POST", "/v1/feeds/preview", "application/json", (1 << 20) + 1, 413, "problem", "1 MiB")]
    [InlineData("POST", "/apis/projectcalico.org/v3/globalthreatfeeds", "application/json", (1 << 20) + 1, 413, "status", "1 MiB")]
    [InlineData("POST", "/apis/projectcalico.org/v3/globalthreatfeeds", "text/csv", 10, 415, "status", "text/csv")]
    public async Task A_body_that_a_call_does_not_take_is_refused_in_its_shape(string method, string path, string type, int length, int status, string shape, string words)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent("{}".PadRight(length)) };
        request.Content.Headers.ContentType = new(type);
        await AnswersAsync(app, request, status, shape, words);
    }

    [Fact]
    public async Task Who_asks_for_a_page_gets_one_that_says_it_is_not_there()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nothing");
        request.Headers.Accept.ParseAdd("text/html");
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("<h1", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task AnswersAsync(AppFixture app, HttpRequestMessage request, int status, string shape, string words)
    {
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode}: {text}");
        Assert.Equal(shape == "problem" ? "application/problem+json" : "application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(words, ErrorShapes.Words(shape, status, text), StringComparison.Ordinal);
        if (shape == "elastic")
        {
            Assert.Equal("Elasticsearch", Assert.Single(answer.Headers.GetValues("X-Elastic-Product")));
        }
        if (status == 405)
        {
            Assert.NotEmpty(answer.Content.Headers.Allow);
        }
    }
}

/// <summary>How errors look: problem details (<c>problem</c>), a Kubernetes Status (<c>status</c>) or an error of Elasticsearch (<c>elastic</c>).</summary>
internal static class ErrorShapes
{
    /// <summary>What the error says, which has the shape and the status.</summary>
    public static string Words(string shape, int status, string text)
    {
        JsonNode body = JsonNode.Parse(text)!;
        Assert.True(status == body[shape == "status" ? "code" : "status"]?.GetValue<int>(), text);
        switch (shape)
        {
            case "status":
                Assert.Equal(("Status", "Failure"), (body["kind"]!.GetValue<string>(), body["status"]!.GetValue<string>()));
                Assert.NotEqual("Unknown", status == 421 ? "" : body["reason"]!.GetValue<string>());
                return body["message"]!.GetValue<string>();
            case "elastic":
                Assert.Equal(body["error"]!["type"]!.GetValue<string>(), body["error"]!["root_cause"]![0]!["type"]!.GetValue<string>());
                return body["error"]!["reason"]!.GetValue<string>();
            default:
                Assert.NotEmpty(body["code"]!.GetValue<string>());
                Assert.NotEmpty(body["traceId"]!.GetValue<string>());
                return body["detail"]!.GetValue<string>();
        }
    }
}
