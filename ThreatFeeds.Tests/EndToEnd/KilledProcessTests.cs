using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>
/// The executable is killed (SIGKILL) again and again while one client sends records and another changes feeds. Afterwards every acknowledged
/// record is there and found exactly once, and every hit is counted in one alert.
/// </summary>
public sealed class KilledProcessTests(ITestOutputHelper output)
{
    private const int RecordsPerBatch = 5;

    private readonly HashSet<string> _acknowledged = [];
    private readonly HashSet<string> _sent = [];
    private Random _random = new();
    private int _next;
    private int _changes;
    private int _batches;

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Nothing_acknowledged_is_lost_or_counted_twice_however_often_the_process_is_killed(StorageProvider provider)
    {
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("THREATFEEDS_TEST_SEEDS"), out int more) ? more : 1;
        for (int seed = 1; seed <= seeds; seed++)
        {
            await new KilledProcessTests(output) { _random = new Random(20261121 + seed) }.RunAsync(provider, kills: provider == StorageProvider.Sqlite ? 20 : 10);
        }
    }

    private async Task RunAsync(StorageProvider provider, int kills)
    {
        using var folder = new TemporaryFolder();
        // SQLite's stands in the data folder.
        await using TestDatabase? database = provider == StorageProvider.Postgres ? await TestDatabase.CreateAsync(provider) : null;
        string[] arguments = ["--data", folder.Path, .. database is null ? [] : (string[])["--set", "Storage:Provider=Postgres", "--set", $"ConnectionStrings:ThreatFeeds={database.ConnectionString}"]];
        int early = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            using LiveProcess process = LiveProcess.Start(arguments);
            if (kill % 5 == 4)
            {
                // In the middle of its own start, while it recovers: after what it has just said, or at once.
                await process.SaidAsync(_random.Next(4));
                early++;
            }
            else
            {
                Uri? address = await process.ListeningAsync();
                Assert.True(address is not null, process.Output);
                await DisturbAsync(process, address);
            }
            await process.KillAsync();
        }
        Assert.True(_acknowledged.Count > 0, "nothing was acknowledged");
        using LiveProcess last = LiveProcess.Start(arguments);
        Uri? where = await last.ListeningAsync();
        Assert.True(where is not null, last.Output);
        using var client = new HttpClient { BaseAddress = where };
        var server = new LiveServer(client);
        await CheckAsync(client, server);
        await last.KillAsync();
        output.WriteLine($"{kills} kills, {early} of them while starting; {_changes} feed changes; {_acknowledged.Count} of {_sent.Count} records acknowledged.");
    }

    /// <summary>Two clients at work until the process is killed under them.</summary>
    private async Task DisturbAsync(LiveProcess process, Uri address)
    {
        using var client = new HttpClient { BaseAddress = address };
        var server = new LiveServer(client);
        Task sending = UntilGoneAsync(() => SendAsync(server));
        Task changing = UntilGoneAsync(() => ChangeAsync(client, server));
        // Sometimes before the first answer, else after as many as chance says: the work goes on while it is killed.
        int until = Volatile.Read(ref _batches) + _random.Next(12);
        await LiveServer.UntilAsync(() => Task.FromResult(Volatile.Read(ref _batches) >= until || sending.IsCompleted), TimeSpan.FromMinutes(2), () => "no batch was acknowledged");
        await process.KillAsync();
        await Task.WhenAll(sending, changing);
    }

    private static async Task UntilGoneAsync(Func<Task> act)
    {
        try
        {
            while (true)
            {
                await act();
            }
        }
        catch (Exception e) when (e is not XunitException)
        {
            // It was killed, at whatever moment of a call: what became of that call is not known.
        }
    }

    /// <summary>Without an Idempotency-Key: a batch whose answer was lost is not sent again.</summary>
    private async Task SendAsync(LiveServer server)
    {
        string[] names = [.. Enumerable.Range(0, RecordsPerBatch).Select(_ => $"r{_next++}.bad.example")];
        _sent.UnionWith(names);
        Assert.Equal(names.Length, await server.PostLogsAsync("dns", names.Select(LiveServer.DnsRecord)));
        _acknowledged.UnionWith(names);
        Interlocked.Increment(ref _batches);
    }

    private async Task ChangeAsync(HttpClient client, LiveServer server)
    {
        int number = _changes++;
        string name = $"feed-{number % 3}";
        JsonObject manifest = Below(name);
        switch (number % 7)
        {
            case 0 or 1:
                using (await client.PostAsJsonAsync(LiveServer.Feeds, manifest))
                {
                    break;
                }
            case 2:
                manifest["spec"]!["mode"] = number % 2 == 0 ? "Disabled" : "Enabled";
                using (await client.PutAsJsonAsync($"{LiveServer.Feeds}/{name}", manifest))
                {
                    break;
                }
            case 3:
                using (await client.DeleteAsync($"{LiveServer.Feeds}/{name}"))
                {
                    break;
                }
            default:
                // A push for a feed that is not there waits for it.
                await server.PushNamesAsync(name, ["bad.example", $"n{number}.example.net"]);
                break;
        }
    }

    private async Task CheckAsync(HttpClient client, LiveServer server)
    {
        using (await client.DeleteAsync($"{LiveServer.Feeds}/final"))
        {
        }
        await server.CreateAsync(Below("final"));
        await server.PushNamesAsync("final", ["bad.example"]);
        await server.WhenIdleAsync(TimeSpan.FromSeconds(60));
        JsonElement state = await server.GetAsync("/v1/searches");
        Assert.Equal(0, state.GetProperty("dropped").GetInt64());
        Assert.Equal(0, state.GetProperty("lookBacks").GetArrayLength());

        // Also that each alert has as many hits as it counts.
        List<JsonElement> hits = await server.AllHitsAsync();
        string[] ids = [.. hits.Select(h => h.GetProperty("id").GetString()!)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        string[] values = [.. hits.Select(h => h.GetProperty("value").GetString()!)];
        Assert.Equal(values.Length, values.Distinct().Count());
        Assert.Empty(_acknowledged.Except(values));
        Assert.Empty(values.Except(_sent));
        Assert.All(hits, h => Assert.Equal(h.GetProperty("value").GetString(), h.GetProperty("record").GetProperty("qname").GetString()));
        Assert.All(hits, h => Assert.Contains("final", h.GetProperty("feeds").EnumerateArray().Select(f => f.GetString())));
    }

    private static JsonObject Below(string name)
    {
        JsonObject manifest = LiveServer.Manifest(name, "DomainNameSet");
        manifest["metadata"]!["annotations"] = new JsonObject { ["threatfeeds.io/match-subdomains"] = "true" };
        return manifest;
    }
}
