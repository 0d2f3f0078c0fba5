using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>Two processes on one PostgreSQL share the runs of all feeds; each keeps its own records.</summary>
public sealed class TwoProcessesTests : IDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [PostgresFact]
    public async Task Every_run_is_done_once_and_a_killed_owners_is_taken_over_within_a_minute()
    {
        const int feeds = 20;
        var open = new TaskCompletionSource();
        await using HostileServer lists = await HostileServer.StartAsync(async c =>
        {
            if (c.Request.Path == "/slow" && !open.Task.IsCompleted)
            {
                await open.Task.WaitAsync(c.RequestAborted);
            }
            await c.Response.WriteAsync("bad.example\n");
        });
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        // One after the other: the first start brings the job storage's own tables.
        using LiveProcess one = await StartAsync(_one, database);
        using LiveProcess two = await StartAsync(_two, database);
        using var client = new HttpClient { BaseAddress = await one.ListeningAsync() };
        using var other = new HttpClient { BaseAddress = await two.ListeningAsync() };
        for (int i = 0; i < feeds; i++)
        {
            await new LiveServer(i % 2 == 0 ? client : other).CreateAsync(Feed($"feed-{i}", $"{lists.Url}/{i}"));
        }
        await UntilAsync(database, db => db.Runs.CountAsync(r => r.FinishedAt != null), feeds);
        await using (ThreatFeedsContext db = database.Factory.Create())
        {
            Assert.Equal(feeds, await db.Runs.CountAsync());
            Assert.Equal(0, await db.Runs.CountAsync(r => r.Outcome == null || r.LeaseOwner != null));
        }
        Assert.Equal(feeds, lists.Requests.Count);
        Assert.Equal(feeds, lists.Requests.Select(r => r.Path).Distinct().Count());

        await new LiveServer(client).CreateAsync(Feed("slow", lists.Url + "/slow"));
        await LiveServer.UntilAsync(() => Task.FromResult(lists.Requests.Any(r => r.Path == "/slow")), s_minute, () => "the slow feed was not fetched");
        string owner = await OwnerAsync(database);
        bool first = owner == (await File.ReadAllTextAsync(Path.Combine(_one.Path, "instance"))).Trim();
        await (first ? one : two).KillAsync();
        open.SetResult();
        long killed = TimeProvider.System.GetTimestamp();
        var left = new LiveServer(first ? other : client);
        JsonElement run = default;
        await LiveServer.UntilAsync(async () =>
        {
            run = (await left.GetAsync("/v1/feeds/slow/runs")).GetProperty("items")[0];
            return run.GetProperty("outcome").GetString() == "replaced";
        }, s_minute, () => $"not taken over within a minute: {run}");
        Assert.InRange(TimeProvider.System.GetElapsedTime(killed), TimeSpan.Zero, s_minute);
        Assert.Equal(2, lists.Requests.Count(r => r.Path == "/slow"));
        Assert.Single((await left.GetAsync("/v1/feeds/slow/runs")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_run_that_a_kill_cut_off_begins_again_within_seconds_of_the_next_start_and_once()
    {
        var open = new TaskCompletionSource();
        await using HostileServer lists = await HostileServer.StartAsync(async c =>
        {
            await open.Task.WaitAsync(c.RequestAborted);
            await c.Response.WriteAsync("bad.example\n");
        });
        using (LiveProcess process = LiveProcess.Start("--data", _one.Path, "--set", "Pulling:AllowedNetworks=127.0.0.0/8"))
        {
            using var client = new HttpClient { BaseAddress = await process.ListeningAsync() };
            await new LiveServer(client).CreateAsync(Feed("slow", lists.Url + "/slow"));
            await LiveServer.UntilAsync(() => Task.FromResult(!lists.Requests.IsEmpty), s_minute, () => "the feed was not fetched");
            await process.KillAsync();
        }
        using LiveProcess again = LiveProcess.Start("--data", _one.Path, "--set", "Pulling:AllowedNetworks=127.0.0.0/8");
        using var after = new HttpClient { BaseAddress = await again.ListeningAsync() };
        long listening = TimeProvider.System.GetTimestamp();
        await LiveServer.UntilAsync(() => Task.FromResult(lists.Requests.Count == 2), s_minute, () => "the run was not begun again");
        TimeSpan begun = TimeProvider.System.GetElapsedTime(listening);
        open.SetResult();
        var server = new LiveServer(after);
        await server.WhenIdleAsync(s_minute);
        JsonElement run = Assert.Single((await server.GetAsync("/v1/feeds/slow/runs")).GetProperty("items").EnumerateArray());
        Assert.Equal("replaced", run.GetProperty("outcome").GetString());
        Assert.Equal(2, lists.Requests.Count);
        // A lease would have to run out first if the process did not know its own runs again.
        Assert.InRange(begun, TimeSpan.Zero, TimeSpan.FromSeconds(25));
    }

    private static async Task<LiveProcess> StartAsync(TemporaryFolder folder, TestDatabase database)
    {
        LiveProcess process = LiveProcess.Start("--data", folder.Path, "--set", "Storage:Provider=Postgres",
            "--set", $"ConnectionStrings:ThreatFeeds={database.ConnectionString}", "--set", "Pulling:AllowedNetworks=127.0.0.0/8");
        Assert.True(await process.ListeningAsync() is not null, process.Output);
        return process;
    }

    private static JsonObject Feed(string name, string url) =>
        LiveServer.Manifest(name, "DomainNameSet", new JsonObject { ["http"] = new JsonObject { ["url"] = url } });

    private static async Task<string> OwnerAsync(TestDatabase database)
    {
        string? owner = null;
        await LiveServer.UntilAsync(async () =>
        {
            await using ThreatFeedsContext db = database.Factory.Create();
            owner = await db.Runs.Where(r => r.Feed == "slow" && r.FinishedAt == null).Select(r => r.LeaseOwner).FirstOrDefaultAsync();
            return owner is not null;
        }, s_minute, () => "nobody has the run");
        return owner!.Split('/')[0];
    }

    private static async Task UntilAsync(TestDatabase database, Func<ThreatFeedsContext, Task<int>> count, int wanted)
    {
        int seen = 0;
        await LiveServer.UntilAsync(async () =>
        {
            await using ThreatFeedsContext db = database.Factory.Create();
            seen = await count(db);
            return seen >= wanted;
        }, TimeSpan.FromMinutes(2), () => $"only {seen} of {wanted} runs ended");
    }
}
