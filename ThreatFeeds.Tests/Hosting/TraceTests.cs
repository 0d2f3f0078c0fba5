using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What a collector gets when one is named, and that nothing is sent when none is.</summary>
public sealed class TraceTests
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private const string Secret = "c0ffee5ec3e7";
    private const string Record = """{"start_time":1772352000,"end_time":1772352300,"type":"LOG","count":1,"client_ip":"10.0.0.7","client_name":"web-1","client_name_aggr":"web-*","client_namespace":"shop","qname":"a.example","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[]}""";

    [Fact]
    public async Task A_pull_is_a_span_with_its_fetch_parse_and_replacement_below_and_tells_no_secret()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using LoopbackServer server = await LoopbackServer.StartAsync();
        await using AppFixture app = await AppFixture.StartAsync(["Pulling:AllowedNetworks=127.0.0.0/8", .. collector.Settings]);
        Uri url = server.Serve("/lists/traced.txt", "bad.example\nworse.example\nnot a name\n");
        await CreateAsync(app, "traced-pull", $"{url}?key={Secret}");

        SeenSpan pull = await SpanAsync(app, collector, s => s.Name == "pull" && s.Tags.GetValueOrDefault("threatfeeds.feed") == "traced-pull");
        Assert.Equal(("replaced", "change", "2", url.ToString(), 0),
            (pull.Tags["threatfeeds.outcome"], pull.Tags["threatfeeds.trigger"], pull.Tags["threatfeeds.added"], pull.Tags["url.full"], pull.Status));
        SeenSpan[] below = [.. collector.Spans.Where(s => s.Trace == pull.Trace && s.Parent == pull.Id)];
        Assert.Equal(["GET", "parse", "replace"], below.Select(s => s.Name).Order(StringComparer.Ordinal));
        SeenSpan parse = below.Single(s => s.Name == "parse");
        Assert.Equal(("2", "1"), (parse.Tags["threatfeeds.accepted"], parse.Tags["threatfeeds.refused"]));
        Assert.Equal("2", below.Single(s => s.Name == "replace").Tags["threatfeeds.indicators"]);

        Assert.Empty(collector.Texts.Where(t => t.Contains(Secret, StringComparison.Ordinal) || t.Contains("not a name", StringComparison.Ordinal)));
        Assert.Empty(server.Requests.SelectMany(r => r.Headers.Keys).Intersect(["traceparent", "tracestate", "baggage", "Request-Id"], StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_pull_that_fails_is_an_error_of_which_only_the_type_is_told()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using LoopbackServer server = await LoopbackServer.StartAsync();
        await using AppFixture app = await AppFixture.StartAsync(["Pulling:AllowedNetworks=127.0.0.0/8", .. collector.Settings]);
        await CreateAsync(app, "traced-failure", $"{server.UriOf("/none.txt")}");

        SeenSpan pull = await SpanAsync(app, collector, s => s.Name == "pull" && s.Tags.GetValueOrDefault("threatfeeds.feed") == "traced-failure");
        Assert.Equal(("failed", "ThreatFeeds.Pulling.FetchException", 2), (pull.Tags["threatfeeds.outcome"], pull.Tags["error.type"], pull.Status));
    }

    [Fact]
    public async Task Ingestion_is_a_span_of_the_senders_trace_and_the_search_step_after_it_one_of_its_own()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using AppFixture app = await AppFixture.StartAsync(collector.Settings);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/logs/dns?format=calico&key={Secret}") { Content = new StringContent(Record + "\n{}") };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        JsonNode counted = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

        Assert.Equal(("1", "1"), ($"{counted["accepted"]}", $"{counted["refused"]}"));
        SeenSpan ingestion = await SpanAsync(app, collector, s => s.Name == "ingestion" && s.Trace == Trace);
        Assert.Equal(("dns", "stored", "1", "1"),
            (ingestion.Tags["threatfeeds.kind"], ingestion.Tags["threatfeeds.outcome"], ingestion.Tags["threatfeeds.accepted"], ingestion.Tags["threatfeeds.refused"]));
        SeenSpan call = await SpanAsync(app, collector, s => s.Id == ingestion.Parent);
        Assert.Equal(("POST /v1/logs/dns", Trace), (call.Name, call.Trace));

        string source = app.Services.GetRequiredService<ILogStore>().Sources.Single(s => s.Kind == LogKind.Dns).Id;
        SeenSpan step = await SpanAsync(app, collector, s => s.Name == "search step" && s.Tags.GetValueOrDefault("threatfeeds.source.id") == source && s.Tags["threatfeeds.records"] == "1");
        Assert.Equal(("moved", ""), (step.Tags["threatfeeds.outcome"], step.Parent));
        Assert.NotEqual(Trace, step.Trace);
        Assert.Empty(collector.Texts.Where(t => t.Contains(Secret, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metrics_are_sent_to_the_collector_as_well()
    {
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using AppFixture app = await AppFixture.StartAsync(collector.Settings);
        ThreatFeeds.Telemetry.Meters.Hits.Add(0);
        app.Services.GetRequiredService<MeterProvider>().ForceFlush();
        Assert.Contains(collector.Texts, t => t.Contains("threatfeeds_hits", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_collector_nothing_is_made_that_could_send()
    {
        await using AppFixture app = await AppFixture.StartAsync("OTEL_EXPORTER_OTLP_ENDPOINT=");
        Assert.Null(app.Services.GetService<TracerProvider>());
    }

    [Fact]
    public void An_address_of_a_collector_that_is_none_stops_the_start()
    {
        using var folder = new TemporaryFolder();
        SettingsException refused = Assert.Throws<SettingsException>(() => ThreatFeedsHost.Build([$"--Data:Directory={folder.Path}", "--OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"]));
        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4317'", refused.Message, StringComparison.Ordinal);
    }

    private static async Task CreateAsync(AppFixture app, string name, string url)
    {
        using HttpResponseMessage created = await app.SendAsync(HttpMethod.Post, Feeds, $$$$$"""
            {"apiVersion":"projectcalico.org/v3","kind":"GlobalThreatFeed","metadata":{"name":"{{{{{name}}}}}"},"spec":{"content":"DomainNameSet","pull":{"http":{"url":"{{{{{url}}}}}"}}}}
            """, "application/json");
        created.EnsureSuccessStatusCode();
    }

    private static async Task<SeenSpan> SpanAsync(AppFixture app, OtlpCollector collector, Func<SeenSpan, bool> wanted)
    {
        TracerProvider traces = app.Services.GetRequiredService<TracerProvider>();
        await FeedsHost.UntilAsync(() => Task.FromResult(traces.ForceFlush() && collector.Spans.Any(wanted)));
        return collector.Spans.First(wanted);
    }
}
