using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What clients are told between the moment the process is told to end and its end.</summary>
public sealed class OrderlyStopTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("/v1/alerts", "code", "stopping")]
    [InlineData("/apis/projectcalico.org/v3/globalthreatfeeds", "kind", "Status")]
    [InlineData("/elasticsearch/.tigera.ipset.cluster/_doc/none", "status", "503")]
    public async Task What_comes_after_is_refused_in_the_shape_of_what_was_called(string path, string member, string value)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        using HttpResponseMessage answer = await app.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter?.Delta);
        JsonNode body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(value, body[member]!.ToString());
        Assert.Contains("stopping", body.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_under_way_may_go_on_for_most_of_the_time_and_is_then_told()
    {
        var clock = new ManualClock();
        await using AppFixture app = await AppFixture.StartAsync(clock, null, "Pulling:AllowedNetworks=127.0.0.0/8", "Hosting:ShutdownSeconds=20");
        await using LoopbackServer foreign = await LoopbackServer.StartAsync();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Uri held = foreign.Answer("/held.txt", async context =>
        {
            await open.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("bad.example\n");
        });
        Task<HttpResponseMessage> quick = PreviewAsync(app, held), slow = PreviewAsync(app, foreign.Answer("/never.txt", async context =>
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }));
        await UntilAsync(() => foreign.Requests.Count == 2);

        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        clock.Advance(TimeSpan.FromSeconds(11));
        open.SetResult();
        using HttpResponseMessage answered = await quick.WaitAsync(Bound, TimeProvider.System);
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Assert.False(slow.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        using HttpResponseMessage told = await slow.WaitAsync(Bound, TimeProvider.System);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, told.StatusCode);
        Assert.Contains("stopping", await told.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> PreviewAsync(AppFixture app, Uri list)
    {
        var manifest = new JsonObject
        {
            ["apiVersion"] = "projectcalico.org/v3",
            ["kind"] = "GlobalThreatFeed",
            ["metadata"] = new JsonObject { ["name"] = "tried" },
            ["spec"] = new JsonObject { ["content"] = "DomainNameSet", ["pull"] = new JsonObject { ["http"] = new JsonObject { ["url"] = list.ToString() } } },
        };
        return app.SendAsync(HttpMethod.Post, "/v1/feeds/preview", manifest.ToJsonString(), "application/json");
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Bound, "it did not come to that");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }
}
