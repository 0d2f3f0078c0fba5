using System.Text.RegularExpressions;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What can be read at <c>/metrics</c>. Dashboards and alarms hang on it, so that a series that changes has to change here, too.</summary>
public sealed partial class MetricsTests
{
    private const string Bounds = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 300 +Inf";

    /// <summary>Name, type and labels of every series of ours; the unit is the end of the name.</summary>
    private static readonly string[] Ours =
    [
        "threatfeeds_alert_delay_seconds histogram",
        "threatfeeds_hits_total counter",
        "threatfeeds_ingestion_duration_seconds histogram outcome",
        "threatfeeds_look_back_step_duration_seconds histogram outcome",
        "threatfeeds_parse_duration_seconds histogram outcome",
        "threatfeeds_pull_duration_seconds histogram outcome",
        "threatfeeds_records_received_total counter outcome",
        "threatfeeds_records_searched_total counter",
        "threatfeeds_records_set_aside_total counter",
        "threatfeeds_replace_duration_seconds histogram outcome",
        "threatfeeds_runs_total counter outcome",
        "threatfeeds_search_failures_total counter search",
        "threatfeeds_search_lag_records gauge source",
        "threatfeeds_search_lag_seconds gauge source",
        "threatfeeds_search_step_duration_seconds histogram outcome",
    ];

    [Fact]
    public async Task The_series_have_the_names_types_units_labels_and_bounds_that_dashboards_know()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await TouchAllAsync();
        string text = "";
        await FeedsHost.UntilAsync(async () => (text = await app.Client.GetStringAsync("/metrics")).Contains("\nthreatfeeds_search_lag_seconds{", StringComparison.Ordinal)
            && Families(text).Count() >= Ours.Length);

        Assert.Equal(Ours, Families(text));
        string[] bounds = [.. Bucket().Matches(text).GroupBy(m => m.Groups[1].Value).Select(g => string.Join(' ', g.Select(m => m.Groups[2].Value).Distinct())).Distinct()];
        Assert.Equal([Bounds], bounds);
    }

    [Fact]
    public async Task Prometheus_is_answered_in_its_text_format_with_the_runtime_and_the_requests()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await app.Client.GetStringAsync("/livez");
        using HttpResponseMessage response = await app.Client.GetAsync("/metrics");
        Assert.StartsWith("text/plain; version=0.0.4", response.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
        string text = await response.Content.ReadAsStringAsync();
        Assert.Contains("# TYPE dotnet_gc_collections_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetching_from_many_servers_makes_no_series_of_each_of_their_addresses()
    {
        await using LoopbackServer server = await LoopbackServer.StartAsync();
        await using AppFixture app = await AppFixture.StartAsync("Pulling:AllowedNetworks=127.0.0.0/8");
        Uri url = server.Serve("/list.txt", "bad.example\n");
        using HttpResponseMessage preview = await app.SendAsync(HttpMethod.Post, "/v1/feeds/preview", $$$$$"""
            {"apiVersion":"projectcalico.org/v3","kind":"GlobalThreatFeed","metadata":{"name":"names"},"spec":{"content":"DomainNameSet","pull":{"http":{"url":"{{{{{url}}}}}"}}}}
            """, "application/json");
        preview.EnsureSuccessStatusCode();
        string text = await app.Client.GetStringAsync("/metrics");
        Assert.Contains("\nhttp_client_request_duration_seconds_count{", text, StringComparison.Ordinal);
        Assert.DoesNotContain("network_peer_address", text, StringComparison.Ordinal);
        Assert.DoesNotContain("dns_question_name", text, StringComparison.Ordinal);
    }

    /// <summary>A series is there once something was measured.</summary>
    private static async Task TouchAllAsync()
    {
        Meters.Hits.Add(0);
        Meters.RecordsSearched.Add(0);
        Meters.RecordsSetAside.Add(0);
        Meters.SearchFailures.Add(0, new KeyValuePair<string, object?>("search", "forward"));
        Meters.Runs.Add(0, new KeyValuePair<string, object?>("outcome", "replaced"));
        Meters.RecordsReceived.Add(0, new KeyValuePair<string, object?>("outcome", "accepted"));
        Meters.AlertDelay.Record(0);
        foreach (Work work in new[] { Work.Pull, Work.Parse, Work.Replace, Work.SearchStep, Work.LookBackStep, Work.Ingestion })
        {
            await work.RunAsync(_ => Task.FromResult(true));
        }
    }

    private static IEnumerable<string> Families(string text) =>
        from type in Family().Matches(text)
        let name = type.Groups[1].Value
        let labels = Regex.Matches(text, $@"^{name}(?:_bucket|_sum|_count)?\{{(.*)\}} ", RegexOptions.Multiline).SelectMany(m => Label().Matches(m.Groups[1].Value)).Select(m => m.Groups[1].Value)
        orderby name
        select string.Join(' ', labels.Where(l => l != "le").Distinct().Order(StringComparer.Ordinal).Prepend(type.Groups[2].Value).Prepend(name));

    [GeneratedRegex(@"^# TYPE (threatfeeds_\w+) (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Family();

    [GeneratedRegex(@"(\w+)=""")]
    private static partial Regex Label();

    [GeneratedRegex(@"^(threatfeeds_\w+)_bucket\{.*le=""([^""]+)""\} ", RegexOptions.Multiline)]
    private static partial Regex Bucket();
}
