using System.Text.Json;
using ThreatFeeds.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>How soon after the acknowledgement of a record its alert is there. The figure is printed; only a generous bound is held.</summary>
public sealed class LatencyTests(ITestOutputHelper output)
{
    [Fact]
    public async Task An_alert_is_visible_soon_after_its_record_was_acknowledged()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        var server = new LiveServer(app.Client);
        await server.CreateAsync(LiveServer.Manifest("bad", "DomainNameSet"));
        await server.PushNamesAsync("bad", Enumerable.Range(0, 1000).Select(i => $"n{i}.bad.example"));
        await server.WhenIdleAsync(TimeSpan.FromSeconds(30));
        var took = new List<double>();
        for (int i = 0; i < 20; i++)
        {
            await server.PostLogsAsync("dns", [LiveServer.DnsRecord($"n{i}.bad.example", i)]);
            long acknowledged = TimeProvider.System.GetTimestamp();
            List<JsonElement> alerts = [];
            await LiveServer.UntilAsync(async () => (alerts = await server.AlertsAsync($"indicator=n{i}.bad.example")).Count > 0, TimeSpan.FromSeconds(10), () => $"no alert for record {i}");
            took.Add(TimeProvider.System.GetElapsedTime(acknowledged).TotalMilliseconds);
            Assert.Equal(1, Assert.Single(alerts).GetProperty("count").GetInt64());
        }
        took.Sort();
        output.WriteLine($"Alert visible after the acknowledgement: median {(took[9] + took[10]) / 2:F0} ms, least {took[0]:F0} ms, most {took[^1]:F0} ms, of {took.Count}.");
    }
}
