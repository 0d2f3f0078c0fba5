using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Feeds;
using ThreatFeeds.Resources;
using ThreatFeeds.Scheduling;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Scheduling;

public sealed class SchedulesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_feed_is_pulled_when_created_changed_and_enabled_but_not_when_its_description_changes()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await StartAsync();
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await PulledAsync(host, feed, 1);
        await PlannedAsync(host, "names");
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url, """{"note": "same pull"}""");
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new");
        await PulledAsync(host, feed, 2);
        Assert.Equal(["/", "/new"], server.Requests.Select(r => r.Path));
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new", mode: "Disabled");
        await FeedsHost.UntilAsync(async () => await host.Get<PullPlan>().NextAsync("names", default) is null);
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new");
        await PulledAsync(host, feed, 3);
        Assert.All((await host.Runs.ListAsync(feed, null, 10, default)).Items, r => Assert.Equal(RunTriggers.Change, r.Trigger));
    }

    [Fact]
    public async Task A_deleted_feed_is_not_planned_any_more()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await StartAsync();
        await host.CreateAsync("names", "DomainNameSet", server.Url);
        await PlannedAsync(host, "names");
        await host.Get<FeedChanges>().DeleteAsync("names", ResourcePrecondition.None, default);
        await FeedsHost.UntilAsync(async () => await host.Get<PullPlan>().NextAsync("names", default) is null);
    }

    [Fact]
    public async Task The_last_pull_survives_a_restart()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using (FeedsHost host = await StartAsync())
        {
            await host.CreateAsync("names", "DomainNameSet", server.Url);
            await PlannedAsync(host, "names");
        }
        await using (FeedsHost host = await StartAsync())
        {
            await PlannedAsync(host, "names");
            DateTimeOffset next = (await host.Get<PullPlan>().NextAsync("names", default))!.Value;
            Assert.InRange(next - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(23.9), TimeSpan.FromHours(24.1));
            await host.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, r => TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-48))));
        }
        Assert.Single(server.Requests);
        await using (FeedsHost host = await StartAsync())
        {
            Feed feed = (await host.Get<FeedCatalog>().FindAsync("names", default))!.Feed;
            await PulledAsync(host, feed, 2);
            Assert.Equal(RunTriggers.Schedule, (await host.Runs.ListAsync(feed, null, 10, default)).Items[0].Trigger);
        }
    }

    [Fact]
    public async Task A_queued_pull_is_carried_out_after_a_restart()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using (FeedsHost host = await FeedsHost.CreateAsync(_folder.Path))
        {
            Feed made = await host.CreateAsync("names", "DomainNameSet", server.Url);
            await host.Runs.EnqueueAsync(made, RunTriggers.Manual, default);
            await host.Runs.StartNextAsync("names", default);
        }
        await using FeedsHost again = await StartAsync();
        Feed feed = (await again.Get<FeedCatalog>().FindAsync("names", default))!.Feed;
        await PulledAsync(again, feed, 1);
        Assert.Equal(["bad.example"], await again.IndicatorsAsync("names"));
    }

    [Fact]
    public async Task Requests_while_a_pull_is_active_come_to_one_more_pull()
    {
        var open = new TaskCompletionSource();
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            await open.Task;
            await c.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await StartAsync();
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await FeedsHost.UntilAsync(() => Task.FromResult(server.Requests.Count == 1));
        FeedRun[] asked = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => host.Get<PullRequests>().RequestAsync(feed, default)));
        Assert.Single(asked.Select(r => r.Id).Distinct());
        open.SetResult();
        await PulledAsync(host, feed, 2);
        await PlannedAsync(host, "names");
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(RunOutcomes.Replaced, 24 * 60)]
    [InlineData(RunOutcomes.Kept, 24 * 60)]
    [InlineData(RunOutcomes.Failed, 15)]
    public void The_next_pull_is_a_period_after_the_last_give_or_take_a_minute(string outcome, int minutes)
    {
        var finished = new DateTime(2026, 3, 1, 8, 0, 0, DateTimeKind.Utc);
        for (int id = 1; id < 200; id++)
        {
            var run = new RunRow { Id = id, Feed = "names", Trigger = RunTriggers.Schedule, FinishedAt = finished, Outcome = outcome };
            DateTimeOffset next = PullTimes.Next(run, TimeSpan.FromHours(24));
            Assert.InRange((next - finished).TotalSeconds, (minutes * 60) - 60, (minutes * 60) + 60);
            Assert.Equal(next, PullTimes.Next(run, TimeSpan.FromHours(24)));
        }
    }

    private async Task<FeedsHost> StartAsync()
    {
        FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s => s.AddScheduling(sizeLimited: false));
        await host.StartAsync();
        return host;
    }

    private static Task PulledAsync(FeedsHost host, Feed feed, int times) => FeedsHost.UntilAsync(async () =>
        (await host.Runs.ListAsync(feed, null, 100, default)).Items.Count(r => r.FinishedAt is not null) >= times);

    private static Task PlannedAsync(FeedsHost host, string feed) =>
        FeedsHost.UntilAsync(async () => await host.Get<PullPlan>().NextAsync(feed, default) is { } next && next > TimeProvider.System.GetUtcNow().AddHours(1));
}
