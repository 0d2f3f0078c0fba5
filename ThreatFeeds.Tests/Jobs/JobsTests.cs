using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Jobs;

public sealed class JobsTests : IDisposable
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
        await host.ReplaceAsync("names", "DomainNameSet", server.Url, """{"note": "same pull"}""");
        Assert.Empty(await host.Queue.QueuedFeedsAsync(default));
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new");
        await PulledAsync(host, feed, 2);
        Assert.Equal(["/", "/new"], server.Requests.Select(r => r.Path));
        await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new", mode: "Disabled");
        Assert.Empty(await host.Queue.QueuedFeedsAsync(default));
        feed = await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/new");
        await PulledAsync(host, feed, 3);
        Assert.All((await host.Runs.ListAsync(feed, null, 10, default)).Items, r => Assert.Equal(RunTrigger.Change, r.Trigger));
    }

    [Fact]
    public async Task The_run_a_change_asks_for_is_queued_in_the_transaction_that_makes_the_change()
    {
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        var queued = new List<bool>();
        host.Get<FeedChanges>().FeedChanged += _ => queued.Add(host.Get<IContextFactory>().Create().Runs.Any(r => r.FinishedAt == null));
        await host.CreateAsync("names", "DomainNameSet", "http://127.0.0.1:9/");
        Assert.Equal([true], queued);
        FeedChangeResult tried = await host.Get<FeedChanges>().CreateAsync(
            FeedsHost.Manifest("tried", "IPSet", "http://127.0.0.1:9/"), new FeedChangeOptions(DryRun: true), Actor.Local, default);
        Assert.IsType<FeedChangeResult.Ok>(tried);
        Assert.Equal(["names"], await host.Queue.QueuedFeedsAsync(default));
    }

    [Fact]
    public async Task A_feed_that_is_made_and_pulled_while_a_dispatch_reads_is_not_queued_again()
    {
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        var reading = new BeforeReading("resources")
        {
            Happens = async () =>
            {
                await host.CreateAsync("new", "DomainNameSet", "http://127.0.0.1:9/");
                RunRow? run = await host.Queue.StartNextAsync("new", default);
                await host.Queue.FinishAsync(run!, new RunEnd(RunOutcome.Unchanged, null), default);
            },
        };
        IContextFactory contexts = InterceptedDatabase.OfSqlite(host.Get<IContextFactory>(), $"Data Source={Path.Combine(_folder.Path, "threatfeeds.db")}", reading);

        await new DispatchJob(new FeedCatalog(contexts, host.Get<ResourceStore>()), host.Get<ListedSets>(), host.Runs, host.Queue, TimeProvider.System).RunAsync(default);

        Assert.Null(reading.Happens);
        Assert.Empty(await host.Queue.QueuedFeedsAsync(default));
    }

    [Fact]
    public async Task A_dispatch_queues_what_is_due_and_nothing_else()
    {
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        foreach (string name in new[] { "due", "early", "never", "off" })
        {
            Feed feed = await host.CreateAsync(name, "DomainNameSet", "http://127.0.0.1:9/", mode: name == "off" ? "Disabled" : "Enabled");
            RunRow? run = await host.Queue.StartNextAsync(name, default);
            Assert.Equal(name != "off", run is not null);
            if (run is not null)
            {
                await host.Queue.FinishAsync(run, new RunEnd(RunOutcome.Unchanged, null), default);
            }
        }
        await host.CreateAsync("pushed", "IPSet");
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await host.AlterAsync(async db =>
        {
            await db.Runs.Where(r => r.Feed == "due").ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, now.AddHours(-25)));
            await db.Runs.Where(r => r.Feed == "early").ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, now.AddHours(-23)));
            await db.Runs.Where(r => r.Feed == "never").ExecuteDeleteAsync();
        });
        var job = new DispatchJob(host.Get<FeedCatalog>(), host.Get<ListedSets>(), host.Runs, host.Queue, TimeProvider.System);
        await job.RunAsync(default);
        await job.RunAsync(default);
        Assert.Equal(["due", "never"], (await host.Queue.QueuedFeedsAsync(default)).Order());
        // Under way is not due, however long ago the last pull was.
        await host.Queue.StartNextAsync("never", default);
        await job.RunAsync(default);
        Assert.Equal(["due"], await host.Queue.QueuedFeedsAsync(default));
    }

    [Theory]
    [InlineData("5m", 6, true)]
    [InlineData("5m", 4, false)]
    [InlineData("24h", 17, true)]
    [InlineData("24h", 13, false)]
    public async Task A_feed_with_a_damaged_set_is_due_after_its_period_and_a_quarter_of_an_hour_at_most(string period, int minutes, bool due)
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        System.Text.Json.Nodes.JsonObject manifest = FeedsHost.Manifest("names", "DomainNameSet", server.Url);
        manifest["spec"]!["pull"]!["period"] = period;
        Assert.IsType<FeedChangeResult.Ok>(await host.Get<FeedChanges>().CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default));
        await host.PullAsync((await host.Get<FeedCatalog>().FindAsync("names", default))!.Feed);
        DateTime finished = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-minutes);
        await host.AlterAsync(async db =>
        {
            await db.StoredSets.ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, 0));
            await db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, finished));
        });
        await new DispatchJob(host.Get<FeedCatalog>(), host.Get<ListedSets>(), host.Runs, host.Queue, TimeProvider.System).RunAsync(default);
        Assert.Equal(due ? ["names"] : [], await host.Queue.QueuedFeedsAsync(default));
    }

    [Fact]
    public async Task A_deleted_feed_is_not_pulled_any_more()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.Get<FeedChanges>().DeleteAsync("names", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        RunRow run = (await host.Queue.StartNextAsync("names", default))!;
        await host.Get<ThreatFeeds.Pulling.PullFeed>().RunAsync(run, default);
        Assert.Equal(RunOutcome.Failed, (await RunRows.FindAsync(host.Get<IContextFactory>(), run.Id))!.Outcome);
        await new DispatchJob(host.Get<FeedCatalog>(), host.Get<ListedSets>(), host.Runs, host.Queue, TimeProvider.System).RunAsync(default);
        Assert.Empty(await host.Queue.QueuedFeedsAsync(default));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Runs_of_a_deleted_feed_go_and_those_of_the_feed_made_again_stay()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.PullAsync(await host.CreateAsync("names", "DomainNameSet", server.Url));
        await host.PullAsync(await host.CreateAsync("others", "DomainNameSet", server.Url));
        await host.Get<FeedChanges>().DeleteAsync("names", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        Feed again = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.PullAsync(again);
        await new DispatchJob(host.Get<FeedCatalog>(), host.Get<ListedSets>(), host.Runs, host.Queue, TimeProvider.System).RunAsync(default);
        await host.AlterAsync(async db =>
        {
            List<RunRow> runs = await db.Runs.Where(r => r.FinishedAt != null).ToListAsync();
            Assert.Equal(again.Uid, Assert.Single(runs, r => r.Feed == "names").FeedUid);
            Assert.Single(runs, r => r.Feed == "others");
        });
    }

    [Fact]
    public async Task What_a_stopped_process_had_begun_is_done_after_its_next_start()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using (FeedsHost host = await FeedsHost.CreateAsync(_folder.Path))
        {
            await host.CreateAsync("names", "DomainNameSet", server.Url);
            await host.Queue.StartNextAsync("names", default);
            // It is not waited for: the process knows its own.
            await host.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(1))));
        }
        await using FeedsHost again = await StartAsync();
        Feed feed = (await again.Get<FeedCatalog>().FindAsync("names", default))!.Feed;
        await PulledAsync(again, feed, 1);
        Assert.Equal(["bad.example"], await again.IndicatorsAsync("names"));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_start_pulls_what_became_due_while_the_process_was_down_and_nothing_else()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using (FeedsHost host = await StartAsync())
        {
            foreach (string name in new[] { "due", "early" })
            {
                await PulledAsync(host, await host.CreateAsync(name, "DomainNameSet", $"{server.Url}/{name}"), 1);
            }
            DateTime old = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-48);
            await host.AlterAsync(db => db.Runs.Where(r => r.Feed == "due").ExecuteUpdateAsync(u => u.SetProperty(r => r.FinishedAt, old)));
        }
        await using FeedsHost again = await StartAsync();
        Feed due = (await again.Get<FeedCatalog>().FindAsync("due", default))!.Feed;
        await PulledAsync(again, due, 2);
        Assert.Equal(RunTrigger.Schedule, (await again.Runs.ListAsync(due, null, 10, default)).Items[0].Trigger);
        Assert.Single(server.Requests, r => r.Path == "/early");
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
        RunRow[] asked = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => host.Queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default)));
        Assert.Single(asked.Select(r => r.Id).Distinct());
        open.SetResult();
        await PulledAsync(host, feed, 2);
        Assert.Empty(await host.Queue.QueuedFeedsAsync(default));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task The_sweep_finds_runs_whose_lease_is_over_and_wakes_whoever_does_them()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await StartAsync();
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await PulledAsync(host, feed, 1);
        await host.AlterAsync(db =>
        {
            db.Runs.Add(new RunRow
            {
                Feed = "names",
                FeedUid = feed.Uid,
                Trigger = RunTrigger.Manual,
                QueuedAt = DateTime.UnixEpoch,
                StartedAt = DateTime.UnixEpoch,
                LeaseOwner = "somebody who died",
                LeaseUntil = DateTime.UnixEpoch,
            });
            return Task.CompletedTask;
        });
        await host.Get<SweepJob>().RunAsync(default);
        await PulledAsync(host, feed, 2);
    }

    [Theory]
    [InlineData(RunOutcome.Replaced, 24 * 60)]
    [InlineData(RunOutcome.Kept, 24 * 60)]
    [InlineData(RunOutcome.Failed, 15)]
    public void The_next_pull_is_a_period_after_the_last_give_or_take_a_minute(RunOutcome outcome, int minutes)
    {
        var finished = new DateTime(2026, 3, 1, 8, 0, 0, DateTimeKind.Utc);
        for (int id = 1; id < 200; id++)
        {
            var run = new RunRow { Id = id, Feed = "names", Trigger = RunTrigger.Schedule, FinishedAt = finished, Outcome = outcome };
            DateTimeOffset next = PullTimes.Next(run, TimeSpan.FromHours(24));
            Assert.InRange((next - finished).TotalSeconds, (minutes * 60) - 60, (minutes * 60) + 60);
            Assert.Equal(next, PullTimes.Next(run, TimeSpan.FromHours(24)));
        }
    }

    private async Task<FeedsHost> StartAsync()
    {
        FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s => FeedsHost.AddJobs(s, _folder.Path));
        await host.StartAsync();
        return host;
    }

    private static Task PulledAsync(FeedsHost host, Feed feed, int times) => FeedsHost.UntilAsync(async () =>
        (await host.Runs.ListAsync(feed, null, 100, default)).Items.Count(r => r.FinishedAt is not null) >= times);
}
