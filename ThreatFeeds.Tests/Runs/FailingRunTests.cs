using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Runs;

/// <summary>Pulls on a database whose commits fail: a run is never stuck, and says what befell it.</summary>
public sealed class FailingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_run_that_cannot_be_ended_is_done_again_when_its_lease_is_over(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        // The database goes away while the body comes.
        await using HostileServer server = await HostileServer.StartAsync(context =>
        {
            faults.Away = true;
            return context.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await HostAsync(database, faults, jobs: false);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        RunRow run = (await host.Queue.StartNextAsync("names", default))!;

        await host.Get<PullFeed>().RunAsync(run, default).WaitAsync(FeedFetcherTests.Bound);

        faults.Away = false;
        Assert.Null((await RunRows.FindAsync(host.Get<IContextFactory>(), run.Id))!.FinishedAt);
        Assert.Empty(await host.Queue.TakeOverAsync(default));
        Assert.Null(await host.Queue.StartNextAsync("names", default));
        await EndLeasesAsync(host);
        Assert.Equal(["names"], await host.Queue.TakeOverAsync(default));
        server.Answer = context => context.Response.WriteAsync("bad.example\n");
        RunRow again = (await host.Queue.StartNextAsync("names", default))!;
        Assert.Equal(run.Id, again.Id);
        await host.Get<PullFeed>().RunAsync(again, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal(["bad.example"], await host.IndicatorsAsync("names"));
        Assert.NotNull((await RunRows.FindAsync(host.Get<IContextFactory>(), run.Id))!.FinishedAt);
        Assert.Empty(await host.ConditionsAsync("names"));
        Assert.Equal(feed.Uid, (await RunRows.FindAsync(host.Get<IContextFactory>(), run.Id))!.FeedUid);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_run_that_cannot_be_ended_is_done_again_once_as_soon_as_the_database_answers(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        int requests = 0;
        await using HostileServer server = await HostileServer.StartAsync(context =>
        {
            faults.Away = true;
            Interlocked.Increment(ref requests);
            return context.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await HostAsync(database, faults, jobs: false);
        await host.CreateAsync("names", "DomainNameSet", server.Url);
        Task job = new PullJob(host.Queue, host.Get<PullFeed>(), TimeProvider.System, NullLogger<PullJob>.Instance).RunAsync("names", default);
        // The set, the run's end, and at least one attempt to give it back.
        await FeedsHost.UntilAsync(() => Task.FromResult(faults.Failed > 2));
        Assert.Equal(1, Volatile.Read(ref requests));
        faults.Away = false;

        await job.WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal(2, requests);
        Assert.Equal(1, await OpenAsync(host));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_pull_that_the_database_was_away_for_is_done_again_and_no_failure(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        int requests = 0;
        await using HostileServer server = await HostileServer.StartAsync(context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
            {
                // Away while the set is stored, and back before anything is said of it.
                faults.FailNextCommit(away: true);
            }
            return context.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await HostAsync(database, faults, jobs: false);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await new PullJob(host.Queue, host.Get<PullFeed>(), TimeProvider.System, NullLogger<PullJob>.Instance).RunAsync("names", default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Equal(2, requests);
        Assert.Equal(RunOutcome.Replaced, Assert.Single((await host.Runs.ListAsync(feed, null, 10, default)).Items).Outcome);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_pull_whose_commit_fails_once_says_so_on_its_feed_until_the_next_succeeds(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await using HostileServer server = await HostileServer.StartAsync(context =>
        {
            faults.FailNextCommit();
            return context.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await HostAsync(database, faults, jobs: false);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.PullAsync(feed);
        Assert.Equal(ConditionType.PullFailed, Assert.Single(await host.ConditionsAsync("names")).Type);

        server.Answer = context => context.Response.WriteAsync("bad.example\n");
        await host.PullAsync(feed);
        Assert.Empty(await host.ConditionsAsync("names"));
        Assert.Equal(["bad.example"], await host.IndicatorsAsync("names"));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task With_jobs_and_commits_that_fail_every_run_ends_and_rest_comes(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        int body = 0;
        await using HostileServer server = await HostileServer.StartAsync(context => context.Response.WriteAsync($"n{Volatile.Read(ref body)}.example\n"));
        await using FeedsHost host = await HostAsync(database, faults, jobs: true);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.StartAsync();
        faults.FailEvery(4);
        for (int pull = 1; pull <= 6; pull++)
        {
            Volatile.Write(ref body, pull);
            await InsistAsync(() => host.Queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default));
            await FeedsHost.UntilAsync(async () =>
            {
                await EndLeasesOfTheStuckAsync(host);
                await InsistAsync(() => host.Get<SweepJob>().RunAsync(default));
                return await OpenAsync(host) == 0;
            });
        }
        faults.FailEvery(0);
        Assert.True(faults.Failed > 3, "hardly a commit failed");
        await host.Queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        await FeedsHost.UntilAsync(async () => (await host.Get<SearchStates>().GetAsync(default)).Idle);
        Assert.Equal(["n6.example"], await host.IndicatorsAsync("names"));
        // What was said while commits failed is taken back right after, not in the same moment.
        await FeedsHost.UntilAsync(async () => (await host.ConditionsAsync("names")).Count == 0);
    }

    private async Task<FeedsHost> HostAsync(TestDatabase database, FailingDatabase faults, bool jobs) => await FeedsHost.CreateAsync(_folder.Path, services =>
    {
        if (jobs)
        {
            FeedsHost.AddJobs(services, _folder.Path);
        }
        services.Replace(ServiceDescriptor.Singleton(faults.Wrap(database)));
    });

    private static async Task EndLeasesAsync(FeedsHost host) => await host.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, DateTime.UnixEpoch)));

    /// <summary>Time passes for a run that nobody works on any more: its row is active and the work has ended, which only a failed commit leaves.</summary>
    private static async Task EndLeasesOfTheStuckAsync(FeedsHost host)
    {
        DateTime before = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(-2);
        await host.AlterAsync(db => db.Runs.Where(r => r.StartedAt != null && r.FinishedAt == null && r.StartedAt < before).ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, DateTime.UnixEpoch)));
    }

    private static async Task<int> OpenAsync(FeedsHost host)
    {
        await using ThreatFeedsContext db = host.Get<IContextFactory>().Create();
        return await db.Runs.CountAsync(r => r.FinishedAt == null);
    }

    private static async Task InsistAsync(Func<Task> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception problem) when (problem.GetBaseException() is FailingDatabase.Failure && attempt < 20)
            {
            }
        }
    }
}
