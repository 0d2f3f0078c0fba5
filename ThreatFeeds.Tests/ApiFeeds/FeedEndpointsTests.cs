using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Api.Feeds;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Pulling;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.ApiFeeds;

public sealed class FeedEndpointsTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private FeedsHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await FeedsHost.CreateAsync(_folder.Path, s => FeedsHost.AddJobs(WithBodies(s), _folder.Path), Map);
        await _host.StartAsync();
        _http.BaseAddress = new Uri(_host.App.Urls.First());
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_preview_reads_a_manifest_in_yaml_or_json_and_stores_nothing()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\nno such/thing\n");
        string yaml = $"apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata:\n  name: names\nspec:\n  content: DomainNameSet\n  pull:\n    http:\n      url: {server.Url}/list\n";
        foreach (string manifest in new[] { yaml, FeedsHost.Manifest("names", "DomainNameSet", server.Url).ToJsonString() })
        {
            (HttpStatusCode status, JsonElement preview) = await SendAsync("POST", "/v1/feeds/preview", manifest);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(1, preview.GetProperty("accepted").GetInt64());
            Assert.Equal(2, preview.GetProperty("refusals")[0].GetProperty("line").GetInt64());
        }
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("GET", "/v1/feeds/names/runs")).Status);
    }

    [Theory]
    [InlineData("", 400, "manifest-empty")]
    [InlineData("{", 400, "manifest-unreadable")]
    [InlineData("kind: Pod", 422, "manifest-invalid")]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata: {name: names}\nspec: {pull: {http: {url: 'https://a.example/', headers: [{name: Content-Length, value: '5'}]}}}", 422, "manifest-invalid")]
    public async Task A_preview_of_no_manifest_says_so(string body, int status, string code)
    {
        (HttpStatusCode got, JsonElement problem) = await SendAsync("POST", "/v1/feeds/preview", body);
        Assert.Equal((status, code), ((int)got, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_preview_of_a_manifest_full_of_problems_tells_the_first_of_them()
    {
        string labels = string.Join(',', Enumerable.Range(0, 60_000).Select(i => $"\"-{i}\":\"\""));
        (HttpStatusCode status, JsonElement problem) = await SendAsync("POST", "/v1/feeds/preview", $"{{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{{\"name\":\"a\",\"labels\":{{{labels}}}}},\"spec\":{{}}}}");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "manifest-invalid"), (status, problem.GetProperty("code").GetString()));
        Assert.InRange(problem.GetProperty("detail").GetString()!.Length, 1, 100_000);
        // One of each label, and that they are too long together.
        Assert.EndsWith("59,901 more problems", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_preview_of_a_huge_manifest_is_refused() =>
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SendAsync("POST", "/v1/feeds/preview", new string('x', 1_100_000))).Status);

    [Fact]
    public async Task A_preview_beyond_what_may_be_fetched_at_once_is_told_when_to_come_again()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using HostileServer server = await HostileServer.StartAsync(_ => held.Task);
        var options = new PullingOptions { MaxFetches = 1, PreviewPatience = TimeSpan.FromMilliseconds(50) };
        options.AllowedNetworks.Add("127.0.0.0/8");
        using var folder = new TemporaryFolder();
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path, s => FeedsHost.AddJobs(WithBodies(s).AddPulling(options, folder.Path), folder.Path), Map);
        await host.StartAsync();
        using var content = new StringContent(FeedsHost.Manifest("names", "DomainNameSet", server.Url).ToJsonString(), Encoding.UTF8, "application/json");
        var preview = new Uri(new Uri(host.App.Urls.First()), "/v1/feeds/preview");
        Task<HttpResponseMessage> first = _http.PostAsync(preview, content);
        await FeedsHost.UntilAsync(() => Task.FromResult(!server.Requests.IsEmpty));
        using var again = new StringContent(FeedsHost.Manifest("names", "DomainNameSet", server.Url).ToJsonString(), Encoding.UTF8, "application/json");
        using HttpResponseMessage refused = await _http.PostAsync(preview, again);
        Assert.Equal((503, 5.0), ((int)refused.StatusCode, refused.Headers.RetryAfter?.Delta?.TotalSeconds));
        JsonElement problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("busy", problem.GetProperty("code").GetString());
        Assert.Contains("Pulling:MaxFetches", problem.GetProperty("detail").GetString());
        held.SetResult();
        using HttpResponseMessage well = await first;
        Assert.Equal(HttpStatusCode.OK, well.StatusCode);
        Assert.False(JsonDocument.Parse(await well.Content.ReadAsStringAsync()).RootElement.TryGetProperty("busy", out _));
    }

    [Fact]
    public async Task A_pull_is_accepted_and_shows_in_runs_indicators_and_manifest()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\nworse.example\nother.test.org\n");
        await _host.CreateAsync("names", "DomainNameSet", server.Url);
        (HttpStatusCode status, JsonElement run) = await SendAsync("POST", "/v1/feeds/names/pull");
        Assert.Equal((HttpStatusCode.Accepted, "names"), (status, run.GetProperty("feed").GetString()));
        await FeedsHost.UntilAsync(async () => (await SendAsync("GET", "/v1/feeds/names/runs")).Answer.GetProperty("items").EnumerateArray()
            .Any(r => r.GetProperty("outcome").GetString() == "replaced"));
        JsonElement page = (await SendAsync("GET", "/v1/feeds/names/indicators?limit=2")).Answer;
        Assert.Equal(2, page.GetProperty("items").GetArrayLength());
        JsonElement rest = (await SendAsync("GET", $"/v1/feeds/names/indicators?limit=2&after={page.GetProperty("next").GetString()}")).Answer;
        Assert.Equal((1, JsonValueKind.Null), (rest.GetProperty("items").GetArrayLength(), rest.GetProperty("next").ValueKind));
        JsonElement found = (await SendAsync("GET", "/v1/feeds/names/indicators?q=orse")).Answer;
        Assert.Equal("worse.example", Assert.Single(found.GetProperty("items").EnumerateArray()).GetString());

        using HttpResponseMessage manifest = await _http.GetAsync(new Uri("/v1/feeds/names/manifest", UriKind.Relative));
        Assert.Equal("names.yaml", manifest.Content.Headers.ContentDisposition!.FileName);
        Assert.Contains("kind: GlobalThreatFeed", await manifest.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task One_run_is_served_with_what_it_refused_and_of_its_own_feed_only()
    {
        string list = "bad.example\n" + string.Concat(Enumerable.Range(0, 150).Select(i => $"no such/{i}\nok{i}.example\nok{i}.example.net\n"));
        await using HostileServer server = await HostileServer.TextAsync(list);
        await _host.CreateAsync("names", "DomainNameSet", server.Url);
        await _host.CreateAsync("other", "DomainNameSet");
        JsonElement run = default;
        await FeedsHost.UntilAsync(async () =>
        {
            JsonElement items = (await SendAsync("GET", "/v1/feeds/names/runs")).Answer.GetProperty("items");
            run = items.EnumerateArray().FirstOrDefault(r => r.GetProperty("outcome").ValueKind == JsonValueKind.String);
            return run.ValueKind == JsonValueKind.Object;
        });
        Assert.False(run.TryGetProperty("refusals", out _));
        string id = run.GetProperty("id").GetString()!;

        (HttpStatusCode status, JsonElement one) = await SendAsync("GET", $"/v1/feeds/names/runs/{id}");
        Assert.Equal((HttpStatusCode.OK, id, "replaced", 150L), (status, one.GetProperty("id").GetString(), one.GetProperty("outcome").GetString(), one.GetProperty("refused").GetInt64()));
        JsonElement[] refusals = [.. one.GetProperty("refusals").EnumerateArray()];
        Assert.Equal(100, refusals.Length);
        Assert.Equal((2L, "no such/0"), (refusals[0].GetProperty("line").GetInt64(), refusals[0].GetProperty("text").GetString()));
        Assert.All(refusals, r => Assert.False(string.IsNullOrEmpty(r.GetProperty("reason").GetString())));

        foreach (string absent in new[] { $"/v1/feeds/other/runs/{id}", "/v1/feeds/names/runs/999999", "/v1/feeds/names/runs/x", "/v1/feeds/names/runs/99999999999999999999" })
        {
            (status, JsonElement problem) = await SendAsync("GET", absent);
            Assert.Equal((HttpStatusCode.NotFound, "run-not-found"), (status, problem.GetProperty("code").GetString()));
        }
        (status, JsonElement gone) = await SendAsync("GET", $"/v1/feeds/none/runs/{id}");
        Assert.Equal((HttpStatusCode.NotFound, "feed-not-found"), (status, gone.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_pull_that_cannot_be_says_why()
    {
        await _host.CreateAsync("pushed", "IPSet");
        await _host.CreateAsync("off", "IPSet", "https://feeds.example/", mode: "Disabled");
        Assert.Equal((HttpStatusCode.Conflict, "feed-is-pushed"), await CodeAsync("/v1/feeds/pushed/pull"));
        Assert.Equal((HttpStatusCode.Conflict, "feed-is-disabled"), await CodeAsync("/v1/feeds/off/pull"));
        Assert.Equal((HttpStatusCode.NotFound, "feed-not-found"), await CodeAsync("/v1/feeds/none/pull"));
    }

    [Theory]
    [InlineData("indicators?limit=1000", HttpStatusCode.OK)]
    [InlineData("indicators?limit=1001", HttpStatusCode.BadRequest)]
    [InlineData("indicators?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("runs?limit=100", HttpStatusCode.OK)]
    [InlineData("runs?limit=101", HttpStatusCode.BadRequest)]
    public async Task Pages_have_a_greatest_length(string page, HttpStatusCode expected)
    {
        await _host.CreateAsync("pushed", "IPSet");
        Assert.Equal(expected, (await SendAsync("GET", $"/v1/feeds/pushed/{page}")).Status);
    }

    private async Task<(HttpStatusCode, string?)> CodeAsync(string path)
    {
        (HttpStatusCode status, JsonElement problem) = await SendAsync("POST", path);
        return (status, problem.GetProperty("code").GetString());
    }

    private static IServiceCollection WithBodies(IServiceCollection services)
    {
        IncomingBody.Add(services, new BodyOptions());
        return services;
    }

    private static void Map(WebApplication app)
    {
        IncomingBody.Use(app);
        OutgoingAnswer.Use(app);
        app.MapFeeds();
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> SendAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/yaml");
        using HttpResponseMessage answer = await _http.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }
}
