using System.Net;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>Safe without a login: hosts, origins and headers.</summary>
public sealed class GuardTests
{
    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:5080", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.8.9.10:1", 200)]
    [InlineData("[::1]:5080", 200)]
    [InlineData("feeds.example.org", 200)]
    [InlineData("feeds.example.org:8443", 200)]
    [InlineData("other.example.org", 421)]
    [InlineData("localhost.example.org", 421)]
    [InlineData("127.0.0.1.example.org", 421)]
    [InlineData("0.0.0.0", 421)]
    [InlineData("10.0.0.1", 421)]
    [InlineData("127.1", 421)]
    public async Task Only_loopback_and_allowed_hosts_are_answered(string host, int status)
    {
        await using AppFixture app = await AppFixture.StartAsync("Http:AllowedHosts=feeds.example.org, second.example.org");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/livez");
        request.Headers.Host = host;
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("own", null, false)]
    [InlineData("own", "same-origin", false)]
    [InlineData(null, "none", false)]
    [InlineData("null", null, true)]
    [InlineData("https://evil.example", null, true)]
    [InlineData("http://localhost:1", null, true)]
    [InlineData("http://127.0.0.1", null, true)]
    [InlineData("own", "cross-site", true)]
    [InlineData("own", "same-site", true)]
    [InlineData(null, "cross-site", true)]
    [InlineData(null, "", true)]
    public async Task Calls_from_a_foreign_origin_are_refused_whether_they_change_something_or_not(string? origin, string? site, bool refused)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Post, HttpMethod.Put, HttpMethod.Patch, HttpMethod.Delete, HttpMethod.Options })
        {
            using HttpResponseMessage response = await SendAsync(app, method, origin, site);
            Assert.Equal(refused, response.StatusCode == HttpStatusCode.Forbidden);
        }
    }

    [Theory]
    [InlineData("/feeds", "navigate", "document", 200)]
    [InlineData("/swagger/index.html", "navigate", "document", 200)]
    [InlineData("/feeds", "navigate", "iframe", 403)]
    [InlineData("/feeds", "no-cors", "image", 403)]
    [InlineData("/feeds", "cors", "empty", 403)]
    [InlineData("/v1/alerts", "navigate", "document", 403)]
    [InlineData("/V1/alerts", "navigate", "document", 403)]
    [InlineData("/apis/projectcalico.org/v3/globalthreatfeeds", "navigate", "document", 403)]
    [InlineData("/elasticsearch", "no-cors", "image", 403)]
    [InlineData("/metrics", "navigate", "document", 403)]
    [InlineData("/readyz", "no-cors", "script", 403)]
    public async Task From_a_foreign_page_a_reader_may_go_to_the_consoles_pages_and_nothing_else_is_worked_out(string path, string mode, string dest, int status)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        request.Headers.Add("Sec-Fetch-Mode", mode);
        request.Headers.Add("Sec-Fetch-Dest", dest);
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_web_socket_of_a_foreign_page_is_refused()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/livez");
        request.Headers.Add("Origin", "https://evil.example");
        request.Headers.Add("Connection", "Upgrade");
        request.Headers.Add("Upgrade", "websocket");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Behind_a_proxy_that_ends_TLS_the_allowed_hosts_pages_may_change_things()
    {
        await using AppFixture app = await AppFixture.StartAsync("Http:AllowedHosts=feeds.example.org");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/feeds/none/pull");
        request.Headers.Host = "feeds.example.org";
        request.Headers.Add("Origin", "https://feeds.example.org");
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("/livez", true)]
    [InlineData("/v1/nothing", true)]
    [InlineData("/v1/alerts", true)]
    [InlineData("/apis/projectcalico.org/v3/globalthreatfeeds", true)]
    [InlineData("/elasticsearch", true)]
    [InlineData("/metrics", true)]
    [InlineData("/openapi/v1.json", true)]
    [InlineData("/feeds", true)]
    [InlineData("/swagger/index.html", false)]
    [InlineData("/_content/ThreatFeeds.Web/console.css", false)]
    public async Task Every_answer_has_the_headers_that_keep_foreign_pages_out(string path, bool fromData)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage response = await app.Client.GetAsync(path);
        string policy = Header("Content-Security-Policy");
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("DENY", Header("X-Frame-Options"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.True(!fromData || response.Headers.CacheControl?.NoStore == true, $"{response.Headers.CacheControl}");
        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));

        string Header(string name) => Assert.Single(response.Headers.GetValues(name));
    }

    [Fact]
    public async Task An_unknown_call_below_v1_is_a_problem_with_code_and_trace_id()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage response = await app.Client.GetAsync("/v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonNode problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("not-found", problem["code"]!.GetValue<string>());
        Assert.Equal(404, problem["status"]!.GetValue<int>());
        Assert.False(string.IsNullOrEmpty(problem["traceId"]!.GetValue<string>()));
    }

    private static Task<HttpResponseMessage> SendAsync(AppFixture app, HttpMethod method, string? origin, string? site)
    {
        var request = new HttpRequestMessage(method, "/v1/nothing");
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin == "own" ? app.Address.GetLeftPart(UriPartial.Authority) : origin);
        }
        if (site is not null)
        {
            request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", site);
        }
        return app.Client.SendAsync(request);
    }
}
