using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>How searching goes, as those see it who ask the process.</summary>
public sealed class SearchHealthTests
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private const string Manifest = """{"kind":"GlobalThreatFeed","apiVersion":"projectcalico.org/v3","metadata":{"name":"names"},"spec":{"content":"DomainNameSet"}}""";

    [Fact]
    public async Task A_search_that_does_not_move_is_degraded_with_200_and_said_in_searches()
    {
        var clock = new ManualClock(TimeProvider.System.GetUtcNow());
        await using AppFixture app = await AppFixture.StartAsync(clock, null);
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest);
        await SendAsync(app, HttpMethod.Put, "/elasticsearch/tigera_secure_ee_threatfeeds_domainnameset.cluster./_doc/names", """{"domains":["bad.example"]}""");
        await SendAsync(app, HttpMethod.Post, "/v1/logs/dns", Dns(clock));
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(1), async () => (await GetAsync(app, "/v1/searches"))["idle"]!.GetValue<bool>());
        Assert.Equal("ready", (await GetAsync(app, "/readyz"))["status"]!.GetValue<string>());

        await AlterAsync(app, "ALTER TABLE hits RENAME TO mislaid");
        await SendAsync(app, HttpMethod.Post, "/v1/logs/dns", Dns(clock));
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(20), async () => (await GetAsync(app, "/v1/searches"))["stalled"]!.GetValue<bool>());
        JsonNode degraded = await GetAsync(app, "/readyz");
        Assert.Equal(("degraded", true), (degraded["status"]!.GetValue<string>(), degraded["ready"]!.GetValue<bool>()));
        Assert.Contains(degraded["checks"]!.AsArray(), c => c!["name"]!.GetValue<string>() == "searching" && !c["ok"]!.GetValue<bool>());

        await AlterAsync(app, "ALTER TABLE mislaid RENAME TO hits");
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(5), async () => (await GetAsync(app, "/v1/searches"))["idle"]!.GetValue<bool>());
        Assert.Equal("ready", (await GetAsync(app, "/readyz"))["status"]!.GetValue<string>());
        JsonNode alert = (await GetAsync(app, "/v1/alerts"))["items"]!.AsArray().Single()!;
        Assert.Equal(2, alert["count"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_feed_that_comes_while_all_is_at_rest_is_said_to_be_searched_within_seconds()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        // The first stamp, of nothing, is past.
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest.Replace("names", "first", StringComparison.Ordinal));
        await FeedsHost.UntilAsync(async () => await SearchedAsync(app, "first"));
        long begin = Stopwatch.GetTimestamp();
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest);
        await FeedsHost.UntilAsync(async () => await SearchedAsync(app, "names"));
        Assert.InRange(Stopwatch.GetElapsedTime(begin).TotalSeconds, 0, 29);
    }

    [Fact]
    public async Task How_long_alerts_take_from_the_arrival_of_their_record_is_measured()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest);
        await SendAsync(app, HttpMethod.Put, "/elasticsearch/tigera_secure_ee_threatfeeds_domainnameset.cluster./_doc/names", """{"domains":["bad.example"]}""");
        long before = await DelaysAsync(app);
        await SendAsync(app, HttpMethod.Post, "/v1/logs/dns", Dns(TimeProvider.System));
        // The meter is the process's, and other tests may measure too: at least this one is in it.
        await FeedsHost.UntilAsync(async () => (await GetAsync(app, "/v1/alerts"))["items"]!.AsArray().Count == 1);
        await FeedsHost.UntilAsync(async () => await DelaysAsync(app) > before);
    }

    [Fact]
    public async Task An_alert_is_changed_by_its_id_and_no_other_writing_of_it()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest);
        await SendAsync(app, HttpMethod.Put, "/elasticsearch/tigera_secure_ee_threatfeeds_domainnameset.cluster./_doc/names", """{"domains":["bad.example"]}""");
        await SendAsync(app, HttpMethod.Post, "/v1/logs/dns", Dns(TimeProvider.System));
        await FeedsHost.UntilAsync(async () => (await GetAsync(app, "/v1/alerts"))["items"]!.AsArray().Count == 1);
        foreach (string id in new[] { "+1", "%201", "-1", "1.0" })
        {
            using HttpResponseMessage answer = await app.SendAsync(HttpMethod.Patch, $"/v1/alerts/{id}", """{"state":"dismissed"}""", "application/json");
            Assert.Equal(404, (int)answer.StatusCode);
        }
        Assert.Equal("open", (await GetAsync(app, "/v1/alerts/1"))["state"]!.GetValue<string>());
        using HttpResponseMessage many = await app.SendAsync(HttpMethod.Patch, "/v1/alerts", """{"ids":["1","01"],"change":{"state":"dismissed"}}""", "application/json");
        Assert.Equal("""{"changed":1}""", await many.Content.ReadAsStringAsync());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Text_that_no_row_can_hold_is_asked_for_without_a_failure(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        string[] settings = provider == StorageProvider.Postgres ? ["Storage:Provider=Postgres", $"ConnectionStrings:ThreatFeeds={database.ConnectionString}"] : [];
        await using AppFixture app = await AppFixture.StartAsync(settings);
        await SendAsync(app, HttpMethod.Post, Feeds, Manifest);
        string[] parameters = ["namespace", "workload", "indicator", "cluster", "feed", "kind", "severity", "state", "sort", "after", "since", "until", "limit", "q"];
        foreach (string text in new[] { "%00", "a%00b", "%ED%A0%80", "%F0%9F%A6%8A", new string('x', 4000) })
        {
            foreach (string path in parameters.Select(p => $"/v1/alerts?{p}={text}").Concat([
                $"/v1/indicators/{text}", $"/v1/feeds/{text}/runs", $"/v1/feeds/{text}/indicators", $"/v1/feeds/{text}/statistics",
                $"/v1/feeds/names/runs?after={text}", $"/v1/feeds/names/indicators?after={text}", $"/v1/feeds/names/indicators?q={text}", $"/v1/feeds/names/runs?limit={text}",
                $"/v1/alerts/{text}", $"/v1/alerts/{text}/hits", $"/v1/alerts/1/hits?after={text}", $"{Feeds}/{text}"]))
            {
                using HttpResponseMessage response = await app.Client.GetAsync(path);
                Assert.True((int)response.StatusCode is 200 or 400 or 404 or 414 or 431, $"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            }
        }
    }

    private static async Task<long> DelaysAsync(AppFixture app)
    {
        const string count = "threatfeeds_alert_delay_seconds_count{} ";
        string metrics = await app.Client.GetStringAsync("/metrics");
        return metrics.Split('\n').FirstOrDefault(l => l.StartsWith(count, StringComparison.Ordinal)) is { } line
            ? long.Parse(line[count.Length..], CultureInfo.InvariantCulture) : 0;
    }

    private static async Task<bool> SearchedAsync(AppFixture app, string feed) => (await GetAsync(app, $"{Feeds}/{feed}"))["status"]?["lastSuccessfulSearch"] is not null;

    private static async Task AlterAsync(AppFixture app, string sql)
    {
        await using ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create();
#pragma warning disable EF1002 // A constant.
        await db.Database.ExecuteSqlRawAsync(sql);
#pragma warning restore EF1002
    }

    private static string Dns(TimeProvider clock) =>
        $$"""{"start_time":{{clock.GetUtcNow().ToUnixTimeSeconds()}},"end_time":{{clock.GetUtcNow().ToUnixTimeSeconds()}},"type":"LOG","count":1,"client_name":"web-1","client_namespace":"shop","qname":"bad.example","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[]}""";

    private static async Task<JsonNode> GetAsync(AppFixture app, string path) => JsonNode.Parse(await app.Client.GetStringAsync(path))!;

    private static async Task SendAsync(AppFixture app, HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }
}
