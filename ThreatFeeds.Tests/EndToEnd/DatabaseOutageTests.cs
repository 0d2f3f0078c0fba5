using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>The database goes away in the middle of pulls and searches and comes back: everything goes on by itself.</summary>
public sealed class DatabaseOutageTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();

    /// <summary>How long the database is away; by hand with more, since whoever meets errors waits longer from one to the next.</summary>
    private static TimeSpan Outage => TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("THREATFEEDS_TEST_OUTAGE_SECONDS"), out int more) ? more : 0);

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public async Task Pulls_and_searches_go_on_within_a_minute_of_the_databases_return()
    {
        const int feeds = 6;
        using var inPull = new SemaphoreSlim(0);
        var open = new TaskCompletionSource();
        await using HostileServer lists = await HostileServer.StartAsync(async c =>
        {
            inPull.Release();
            await open.Task.WaitAsync(c.RequestAborted);
            await c.Response.WriteAsync($"bad{c.Request.Path.Value![1..]}.example\n");
        });
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using var way = new PostgresWay(database.ConnectionString);
        using LiveProcess process = LiveProcess.Start("--data", _folder.Path, "--set", "Storage:Provider=Postgres",
            "--set", $"ConnectionStrings:ThreatFeeds={way.ConnectionString}", "--set", "Pulling:AllowedNetworks=127.0.0.0/8");
        using var client = new HttpClient { BaseAddress = await process.ListeningAsync() };
        var server = new LiveServer(client);
        for (int i = 0; i < feeds; i++)
        {
            await server.CreateAsync(LiveServer.Manifest($"feed-{i}", "DomainNameSet", new JsonObject { ["http"] = new JsonObject { ["url"] = $"{lists.Url}/{i}" } }));
        }
        for (int i = 0; i < feeds; i++)
        {
            Assert.True(await inPull.WaitAsync(s_minute), "not all feeds were being pulled");
        }
        await PostAsync(server, 0);
        way.Close();
        // The pulls get their lists and cannot store them, records arrive and cannot be searched: the log store needs no database.
        open.SetResult();
        await PostAsync(server, 1);
        await LiveServer.UntilAsync(async () => !(await client.GetAsync("/v1/alerts")).IsSuccessStatusCode, s_minute, () => "the database was still there");
        await PostAsync(server, 2);
        await Task.Delay(Outage, TimeProvider.System);
        way.Open();
        long back = TimeProvider.System.GetTimestamp();
        await PostAsync(server, 3);
        await LiveServer.UntilAsync(IdleAsync, s_minute, () => "not idle within a minute of the database's return\n" + process.Output);
        output.WriteLine($"idle {TimeProvider.System.GetElapsedTime(back).TotalSeconds:0.0} s after the database came back");

        List<JsonElement> hits = await server.AllHitsAsync();
        IEnumerable<string> wanted = from round in Enumerable.Range(0, 4) from i in Enumerable.Range(0, feeds) select $"bad{i}.example";
        Assert.Equal(wanted.Order(), hits.Select(h => h.GetProperty("value").GetString()!).Order());
        for (int i = 0; i < feeds; i++)
        {
            JsonElement[] runs = [.. (await server.GetAsync($"/v1/feeds/feed-{i}/runs")).GetProperty("items").EnumerateArray()];
            Assert.All(runs, r => Assert.NotEqual(JsonValueKind.Null, r.GetProperty("outcome").ValueKind));
            Assert.Contains(runs, r => r.GetProperty("outcome").GetString() is "replaced" or "unchanged");
        }

        async Task<bool> IdleAsync()
        {
            using HttpResponseMessage answer = await client.GetAsync("/v1/searches");
            return answer.IsSuccessStatusCode && JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["idle"]!.GetValue<bool>();
        }
    }

    private static async Task PostAsync(LiveServer server, int round) =>
        Assert.Equal(6, await server.PostLogsAsync("dns", Enumerable.Range(0, 6).Select(i => LiveServer.DnsRecord($"bad{i}.example", round))));
}
