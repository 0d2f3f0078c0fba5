using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Api.Demo;
using ThreatFeeds.Logs;
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
        Assert.Equal(5, manifests.Length);
        foreach (JsonObject manifest in manifests)
        {
            var url = new Uri(manifest["spec"]!["pull"]!["http"]!["url"]!.GetValue<string>());
            Assert.Equal(app.Address.Port, url.Port);
            Assert.NotEmpty(await app.Client.GetStringAsync(url));
        }
    }

    [Fact]
    public async Task A_demo_that_was_stopped_half_way_begins_again_without_its_logs_twice()
    {
        using var folder = new TemporaryFolder();
        var clock = new ManualClock();
        foreach (string demo in (string[])["Demo=false", "Demo=true"])
        {
            await using AppFixture app = await AppFixture.StartAsync(clock, folder.Path, demo);
            ILogStore logs = app.Services.GetRequiredService<ILogStore>();
            if (demo == "Demo=false")
            {
                // As the start before left it, an hour ago.
                IReadOnlyList<ReadOnlyMemory<byte>> lines = await SampleFiles.LogAsync("dns.jsonl.gz", clock.GetUtcNow().AddHours(-1), default);
                await logs.AppendAsync(new LogBatch(LogKind.Dns, "calico", lines, "demo-dns.jsonl.gz"), default);
                continue;
            }
            LogSource source = logs.Sources.First(s => s.Kind == LogKind.Dns);
            Assert.Equal(353, (await logs.CountAsync(source, default, await logs.HeadAsync(source, default), default)).Records);
        }
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
        using HttpResponseMessage response = await app.Client.GetAsync("/samples/feeds/attackers.txt");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("dns.jsonl.gz", 353)]
    [InlineData("flows.jsonl.gz", 2294)]
    public async Task Sample_records_end_within_the_last_six_hours(string name, int count)
    {
        var now = new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        IReadOnlyList<ReadOnlyMemory<byte>> lines = await SampleFiles.LogAsync(name, now, CancellationToken.None);
        Assert.Equal(count, lines.Count);
        foreach (ReadOnlyMemory<byte> line in lines)
        {
            using JsonDocument record = JsonDocument.Parse(line);
            long end = record.RootElement.GetProperty("end_time").GetInt64();
            Assert.InRange(end, now.AddHours(-6).ToUnixTimeSeconds(), now.ToUnixTimeSeconds());
            Assert.InRange(record.RootElement.GetProperty("start_time").GetInt64(), end - 3600, end);
        }
    }

    [Theory]
    [InlineData("dns.jsonl.gz", "trackers.hosts", "qname", 20)]
    [InlineData("flows.jsonl.gz", "attackers.txt", "dest_ip", 5)]
    [InlineData("flows.jsonl.gz", "attackers.txt", "source_ip", 5)]
    public async Task The_sample_feeds_hit_the_sample_logs(string log, string feed, string field, int atLeast)
    {
        HashSet<string> listed = [.. (await File.ReadAllLinesAsync(Path.Combine(SampleFiles.Root, "feeds", feed)))
            .Where(l => !l.StartsWith('#')).SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        IReadOnlyList<ReadOnlyMemory<byte>> lines = await SampleFiles.LogAsync(log, DateTimeOffset.UnixEpoch.AddYears(56), CancellationToken.None);
        Assert.True(lines.Count(l => JsonNode.Parse(l.Span)![field]?.ToString() is string value && listed.Contains(value)) >= atLeast);
    }
}
