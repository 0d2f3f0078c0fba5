using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Api.Demo;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What the demo brings.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task The_demo_serves_every_file_its_feeds_are_pulled_from()
    {
        await using AppFixture app = await AppFixture.StartAsync("Demo=true");
        JsonObject[] manifests = [.. SampleFiles.Manifests(app.Address)];
        Assert.Equal(6, manifests.Length);
        foreach (JsonObject manifest in manifests.Where(m => m["spec"]!["pull"] is not null))
        {
            var url = new Uri(manifest["spec"]!["pull"]!["http"]!["url"]!.GetValue<string>());
            Assert.Equal(app.Address.Port, url.Port);
            Assert.NotEmpty(await app.Client.GetStringAsync(url));
        }
        Assert.Single(manifests, m => m["spec"]!["pull"] is null && m["metadata"]!["name"]!.GetValue<string>() == SampleFiles.PushedFeed);
    }

    [Fact]
    public async Task The_story_is_told_in_alerts_and_goes_on_while_the_demo_runs()
    {
        var clock = new ManualClock();
        DateTimeOffset moment = clock.GetUtcNow();
        await using AppFixture app = await AppFixture.StartAsync(clock, null, "Demo=true");
        await ToldAsync(app, clock, "command-servers", "updates.cdn-sync.example", "build", "outbound");
        await ToldAsync(app, clock, "command-servers", "notes-archive.example", "payments", "outbound");
        await ToldAsync(app, clock, "botnet-addresses", "203.0.113.66", "build", "outbound");
        await ToldAsync(app, clock, "scanners", "198.51.100.0/27", "shop", "inbound");
        await ToldAsync(app, clock, "trackers", "metrics.node-telemetry.example", "monitoring", "outbound");
        await ToldAsync(app, clock, "trackers", "edge.ad-mesh.example", "shop", "outbound");
        JsonNode aggregated = await ToldAsync(app, clock, "phishing", "login.parcel-track.example", "shop", "outbound");
        Assert.True(aggregated["workload"]!["aggregated"]!.GetValue<bool>());

        JsonNode arrived = await ToldAsync(app, clock, "phishing", "account.card-check.test", "monitoring", "outbound");
        Assert.True(arrived["firstSeen"]!.GetValue<DateTimeOffset>() > moment, "this came after the start");
        JsonNode late = await ToldAsync(app, clock, "incident-response", "drop.quiet-harbor.example", "data", "outbound");
        Assert.True(late["lastSeen"]!.GetValue<DateTimeOffset>() < moment.AddHours(-6), "this was found by looking back");
    }

    [Fact]
    public async Task A_demo_that_was_stopped_half_way_begins_again_without_its_logs_twice()
    {
        using var folder = new TemporaryFolder();
        var clock = new ManualClock();
        long records = 0;
        foreach (string demo in (string[])["Demo=false", "Demo=true"])
        {
            await using AppFixture app = await AppFixture.StartAsync(clock, folder.Path, demo);
            ILogStore logs = app.Services.GetRequiredService<ILogStore>();
            if (demo == "Demo=false")
            {
                // As the start before left it, an hour ago.
                await new DemoArrivals(logs.AppendAsync, clock.GetUtcNow().AddHours(-1)).BringDayAsync(default);
                records = await CountAsync(logs);
                Assert.True(records > 1000, "the day was not brought");
                continue;
            }
            await ToldAsync(app, clock, "command-servers", "updates.cdn-sync.example", "build", "outbound");
            // A few arrived since the start.
            Assert.InRange(await CountAsync(logs), records, records + (records / 4));
        }
    }

    [Fact]
    public async Task A_record_that_could_not_be_stored_is_brought_with_the_next_and_none_twice()
    {
        DateTimeOffset moment = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
        bool full = true;
        var stored = new List<ReadOnlyMemory<byte>>();
        var arrivals = new DemoArrivals((batch, _) =>
        {
            if (batch.Kind == LogKind.Flow && full)
            {
                throw new LogStoreException("no room is left");
            }
            stored.AddRange(batch.Lines);
            return Task.CompletedTask;
        }, moment);
        await Assert.ThrowsAsync<LogStoreException>(() => arrivals.BringNewAsync(moment.AddMinutes(5), default));
        full = false;
        await arrivals.BringNewAsync(moment.AddMinutes(10), default);
        Assert.Equal(
            new SampleDay(moment).Between(moment, moment.AddMinutes(10)).Select(r => r.Json.ToJsonString()).Order(StringComparer.Ordinal),
            stored.Select(l => Encoding.UTF8.GetString(l.Span)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/samples/feeds/nothing.txt")]
    [InlineData("/samples/feeds/..%2FREADME.md")]
    [InlineData("/samples/README.md")]
    public async Task Nothing_but_the_sample_feeds_is_served(string path)
    {
        await using AppFixture app = await AppFixture.StartAsync("Demo=true");
        using HttpResponseMessage response = await app.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Without_the_demo_no_sample_is_served()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage response = await app.Client.GetAsync("/samples/feeds/phishing.json");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static async Task<long> CountAsync(ILogStore logs)
    {
        LogSource source = logs.Sources.First(s => s.Kind == LogKind.Dns);
        return (await logs.CountAsync(source, default, await logs.HeadAsync(source, default), default)).Records;
    }

    /// <summary>Waits for the alert of this indicator in this namespace.</summary>
    private static async Task<JsonNode> ToldAsync(AppFixture app, ManualClock clock, string feed, string indicator, string @namespace, string direction)
    {
        JsonArray alerts = [];
        // Without the clock, which would use up a pull's time while the machine is busy with other things.
        await FeedsHost.UntilAsync(async () => await PulledAsync(app) == 5);
        await clock.AdvanceUntilAsync(DemoLoader.Step, async () =>
        {
            string text = await app.Client.GetStringAsync($"/v1/alerts?feed={feed}&namespace={@namespace}&indicator={Uri.EscapeDataString(indicator)}");
            return (alerts = JsonNode.Parse(text)!["items"]!.AsArray()).Count > 0;
        });
        Assert.Equal(direction, alerts[0]!["direction"]!.GetValue<string>());
        return alerts[0]!;
    }

    private static async Task<int> PulledAsync(AppFixture app)
    {
        string text = await app.Client.GetStringAsync("/apis/projectcalico.org/v3/globalthreatfeeds");
        return JsonNode.Parse(text)!["items"]!.AsArray().Count(f => f!["spec"]!["pull"] is not null && f["status"]?["lastSuccessfulSync"] is not null);
    }
}
