using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>What the calls under /v1/alerts take and hand on.</summary>
public sealed class AlertEndpointTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private AppFixture _app = null!;

    public async Task InitializeAsync()
    {
        _app = await AppFixture.StartAsync();
        await using ThreatFeedsContext db = _app.Services.GetRequiredService<IContextFactory>().Create();
        var alert = new AlertRow
        {
            Cluster = "cluster", Kind = LogKind.Dns, Indicator = "bad.example", Namespace = "shop", Workload = "web-1", Direction = Direction.Outbound,
            Start = Noon.ToUnixTimeMilliseconds(), FirstSeen = Noon.ToUnixTimeMilliseconds(), LastSeen = Noon.ToUnixTimeMilliseconds(), Count = 3, Severity = Severity.High, OpenedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
        };
        db.Alerts.Add(alert);
        await db.SaveChangesAsync();
        await db.InsertManyAsync("hits", ["Id", "AlertId", "Source", "Segment", "Ordinal", "Time", "Field", "Value", "Indicator", "Feeds"],
            [.. Enumerable.Range(1, 3).Select(i => new object[] { (byte[])[(byte)i, .. new byte[15]], alert.Id, "s", 0L, -1L, Noon.ToUnixTimeMilliseconds(), "qname", "bad.example", "bad.example", "one" })], "", default);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=501", "limit")]
    [InlineData("since=yesterday", "since")]
    [InlineData("until=tomorrow", "until")]
    [InlineData("sort=name", "sort")]
    [InlineData("after=here", "after")]
    [InlineData("state=closed", "state")]
    public async Task A_filter_that_cannot_be_used_is_named(string query, string name)
    {
        JsonNode problem = await GetAsync("/v1/alerts?" + query, 400);
        Assert.Equal("invalid-filter", problem["code"]!.GetValue<string>());
        Assert.StartsWith(name + ": ", problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("limit=500", 1)]
    [InlineData("since=2026-03-01T12:00:00Z", 1)]
    [InlineData("since=2026-03-01T12:00:01Z", 0)]
    [InlineData("until=2026-03-01T12:00:00Z", 1)]
    [InlineData("until=2026-03-01T11:59:59Z", 0)]
    // Without a zone a time is UTC.
    [InlineData("since=2026-03-01T12:00:01", 0)]
    [InlineData("until=2026-03-01T12:00:00", 1)]
    public async Task Times_and_limits_are_handed_on(string query, int alerts) =>
        Assert.Equal(alerts, (await GetAsync("/v1/alerts?" + query, 200))["items"]!.AsArray().Count);

    [Fact]
    public async Task A_page_of_hits_has_as_many_as_were_asked_for_and_goes_on_behind_them()
    {
        JsonNode first = await GetAsync("/v1/alerts/1/hits?limit=2", 200);
        JsonNode second = await GetAsync($"/v1/alerts/1/hits?limit=2&after={first["next"]}", 200);
        Assert.Equal(3, first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(h => h!["id"]!.GetValue<string>()).Distinct().Count());
        Assert.Equal((2, 1, null), (first["items"]!.AsArray().Count, second["items"]!.AsArray().Count, second["next"]));
        foreach (string query in new[] { "limit=0", "limit=501", "after=here" })
        {
            Assert.Equal("invalid-filter", (await GetAsync("/v1/alerts/1/hits?" + query, 400))["code"]!.GetValue<string>());
        }
        Assert.Equal("alert-not-found", (await GetAsync("/v1/alerts/2/hits", 404))["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(0, 400, "invalid-change")]
    [InlineData(1_000, 404, "alert-not-found")]
    [InlineData(1_001, 400, "invalid-change")]
    public async Task A_change_is_of_1_to_1_000_alerts(int count, int status, string code)
    {
        string body = JsonSerializer.Serialize(new { ids = Enumerable.Range(1, count).Select(i => $"{i}"), change = new { state = "dismissed" } });
        using HttpResponseMessage answer = await _app.SendAsync(HttpMethod.Patch, "/v1/alerts", body, "application/json");
        Assert.Equal((status, code), ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["code"]!.GetValue<string>()));
        Assert.Equal("open", (await GetAsync("/v1/alerts/1", 200))["state"]!.GetValue<string>());
    }

    private async Task<JsonNode> GetAsync(string path, int status)
    {
        using HttpResponseMessage answer = await _app.Client.GetAsync(path);
        Assert.Equal(status, (int)answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }
}
