using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>The process told to end in the middle of its work ends in order, in time, and loses nothing.</summary>
public sealed class StoppedProcessTests : IDisposable
{
    private const int ShutdownSeconds = 5;

    /// <summary>Beyond the setting: what a process takes to begin and to end on a busy machine.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(ShutdownSeconds + 10);

    private readonly TemporaryFolder _folder = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;

    [Fact]
    public async Task A_process_told_to_end_under_load_ends_in_order_and_loses_nothing()
    {
        await using LoopbackServer foreign = await LoopbackServer.StartAsync();
        // Never done, but never silent for long either: no time-out of ours ends it.
        Uri slow = foreign.Answer("/slow.txt", async context =>
        {
            while (!_over.Task.IsCompleted && !context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync($"n{Interlocked.Increment(ref _next)}.slow.example\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.WhenAny(_over.Task, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, context.RequestAborted));
            }
        });
        var sent = new List<string>();
        var acknowledged = new List<string>();
        var statuses = new List<HttpStatusCode>();
        HttpStatusCode previewed;
        using (LiveProcess process = Start())
        {
            Uri? address = await process.ListeningAsync();
            Assert.True(address is not null, process.Output);
            using var client = new HttpClient { BaseAddress = address };
            var server = new LiveServer(client);
            await server.CreateAsync(LiveServer.Manifest("bad", "DomainNameSet"));
            await server.PushNamesAsync("bad", Enumerable.Range(0, 20).Select(i => $"r{i}.bad.example"));
            await server.CreateAsync(LiveServer.Manifest("slow", "DomainNameSet", new JsonObject { ["http"] = new JsonObject { ["url"] = slow.ToString() } }));
            Task<HttpStatusCode> preview = PreviewAsync(client, slow);
            await LiveServer.UntilAsync(() => Task.FromResult(foreign.Requests.Count >= 2 && Bodies().Length > 0), TimeSpan.FromSeconds(30), () => process.Output);
            Task sending = SendAsync(client, sent, acknowledged, statuses);
            await LiveServer.UntilAsync(() => Task.FromResult(acknowledged.Count > 0), TimeSpan.FromSeconds(30), () => process.Output);

            long start = TimeProvider.System.GetTimestamp();
            process.Terminate();
            int status = await process.ExitAsync();
            TimeSpan took = TimeProvider.System.GetElapsedTime(start);
            await sending.WaitAsync(Bound, TimeProvider.System);
            previewed = await preview.WaitAsync(Bound, TimeProvider.System);
            Assert.True(status == 0, $"status {status}\n{process.Output}");
            Assert.True(took < Bound, $"{took}");
            Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
        }
        _over.TrySetResult();
        // What could not be done in time is told so, not broken off.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, previewed);
        Assert.All(statuses, s => Assert.True(s is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{s}"));
        Assert.Empty(Bodies());

        using LiveProcess again = Start();
        Uri? there = await again.ListeningAsync();
        Assert.True(there is not null, again.Output);
        using var reader = new HttpClient { BaseAddress = there };
        using (await reader.DeleteAsync($"{LiveServer.Feeds}/slow"))
        {
        }
        var reading = new LiveServer(reader);
        await reading.WhenIdleAsync(TimeSpan.FromSeconds(60));
        List<string> found = [.. (await reading.AllHitsAsync()).Select(h => h.GetProperty("record").GetProperty("client_ip").GetString() + h.GetProperty("value").GetString())];
        Assert.True(found.Count >= acknowledged.Count && found.Count <= sent.Count, $"{acknowledged.Count} acknowledged, {sent.Count} sent, {found.Count} found");
        Assert.Empty(Bodies());
        again.Terminate();
        Assert.Equal(0, await again.ExitAsync());
    }

    [Fact]
    public async Task What_a_killed_process_left_in_the_spool_is_gone_once_the_next_has_started()
    {
        string spool = Directory.CreateDirectory(Path.Combine(_folder.Path, "pulling")).FullName;
        await File.WriteAllTextAsync(Path.Combine(spool, "left.body"), "left");
        using LiveProcess process = Start();
        Assert.True(await process.ListeningAsync() is not null, process.Output);
        Assert.Empty(Bodies());
        process.Terminate();
        Assert.Equal(0, await process.ExitAsync());
    }

    public void Dispose() => _folder.Dispose();

    private LiveProcess Start() => LiveProcess.Start(
        "--data", _folder.Path, "--set", "Pulling:AllowedNetworks=127.0.0.0/8", "--set", $"Hosting:ShutdownSeconds={ShutdownSeconds}");

    private string[] Bodies() => Directory.Exists(Path.Combine(_folder.Path, "pulling")) ? Directory.GetFiles(Path.Combine(_folder.Path, "pulling"), "*.body") : [];

    private static async Task<HttpStatusCode> PreviewAsync(HttpClient client, Uri list)
    {
        JsonObject manifest = LiveServer.Manifest("tried", "DomainNameSet", new JsonObject { ["http"] = new JsonObject { ["url"] = list.ToString() } });
        using HttpResponseMessage answer = await client.PostAsJsonAsync("/v1/feeds/preview", manifest);
        return answer.StatusCode;
    }

    /// <summary>Sends one record after another until the process no longer takes any.</summary>
    private static async Task SendAsync(HttpClient client, List<string> sent, List<string> acknowledged, List<HttpStatusCode> statuses)
    {
        try
        {
            for (int i = 0; ; i++)
            {
                sent.Add($"r{i % 20}.bad.example");
                using HttpResponseMessage answer = await client.PostAsync("/v1/logs/dns", new StringContent(LiveServer.DnsRecord(sent[^1], i)));
                statuses.Add(answer.StatusCode);
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    return;
                }
                acknowledged.Add(sent[^1]);
            }
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException)
        {
            // It listens no more.
        }
    }
}
