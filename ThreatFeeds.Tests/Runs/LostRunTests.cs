using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Runs;

/// <summary>Who no longer has a run writes nothing of it, and no run of a feed that is gone costs its successor a pull.</summary>
public sealed class LostRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_pull_that_fails_after_another_process_took_its_run_over_leaves_the_feeds_status_alone(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var open = new TaskCompletionSource();
        int request = 0;
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            if (Interlocked.Increment(ref request) == 1)
            {
                await open.Task;
                c.Response.StatusCode = 500;
                return;
            }
            await c.Response.WriteAsync("bad.example\n");
        });
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, postgres: provider == StorageProvider.Postgres ? database.ConnectionString : null);
        Feed feed = await host.CreateAsync("one", "DomainNameSet", server.Url);
        Task late = Job(host, host.Queue).RunAsync("one", default);
        await FeedsHost.UntilAsync(() => Task.FromResult(Volatile.Read(ref request) == 1));
        await EndLeasesAsync(host);
        var two = new RunQueue(host.Get<IContextFactory>(), new InstanceId("two"), TimeProvider.System);
        Assert.Single(await two.TakeOverAsync(default));
        await Job(host, two).RunAsync("one", default);

        open.SetResult();
        await late;

        Assert.Equal(RunOutcome.Replaced, Assert.Single((await host.Runs.ListAsync(feed, null, 10, default)).Items).Outcome);
        Assert.Empty(await host.ConditionsAsync("one"));
    }

    [Fact]
    public async Task A_lease_lost_to_the_same_process_is_lost()
    {
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.CreateAsync("one", "DomainNameSet", "http://127.0.0.1:9/");
        RunRow first = (await host.Queue.StartNextAsync("one", default))!;
        await EndLeasesAsync(host);
        await host.Queue.TakeOverAsync(default);
        RunRow second = (await host.Queue.StartNextAsync("one", default))!;
        Assert.Equal(first.Id, second.Id);
        Assert.False(await host.Queue.RenewAsync(first, default), "two do the run at once");
        Assert.True(await host.Queue.RenewAsync(second, default));
    }

    [Fact]
    public async Task A_feed_made_again_keeps_its_first_pull_when_the_run_of_the_old_one_is_taken_back()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        await host.CreateAsync("one", "DomainNameSet", server.Url);
        await host.Queue.StartNextAsync("one", default);
        await DeleteAsync(host);
        await host.CreateAsync("one", "DomainNameSet", server.Url);
        await host.Queue.TakeBackAsync(default);
        await Job(host, host.Queue).RunAsync("one", default);
        Assert.Equal(["bad.example"], await host.IndicatorsAsync("one"));
    }

    [Fact]
    public async Task A_dispatch_that_read_the_feed_before_it_was_made_again_leaves_the_new_ones_run_alone()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        Feed old = await host.CreateAsync("one", "DomainNameSet", server.Url);
        await DeleteAsync(host);
        await host.CreateAsync("one", "DomainNameSet", server.Url);
        await host.Queue.EnqueueAsync(old, RunTrigger.Schedule, Actor.System, default);
        await Job(host, host.Queue).RunAsync("one", default);
        Assert.Equal(["bad.example"], await host.IndicatorsAsync("one"));
    }

    private static PullJob Job(FeedsHost host, RunQueue queue) => new(queue, new PullFeed(
        host.Get<FeedCatalog>(), host.Get<FetchTurns>(), host.Get<FeedBodies>(), host.Get<ListedSets>(),
        new PullOutcomes(queue, host.Get<FeedStatusWriter>(), TimeProvider.System, NullLogger<PullOutcomes>.Instance)), TimeProvider.System, NullLogger<PullJob>.Instance);

    private static Task<FeedChangeResult> DeleteAsync(FeedsHost host) =>
        host.Get<FeedChanges>().DeleteAsync("one", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);

    private static Task EndLeasesAsync(FeedsHost host) =>
        host.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Utc))));
}
