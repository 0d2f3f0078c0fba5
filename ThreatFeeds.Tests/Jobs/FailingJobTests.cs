using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Alerts;
using ThreatFeeds.Indicators;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Jobs;

/// <summary>What becomes of a job when something fails under it.</summary>
public sealed class FailingJobTests
{
    [Fact]
    public async Task A_part_of_retention_that_fails_is_said_and_keeps_no_other_from_its_turn()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.Stored.WriteAsync(world.Stored.Date(IndicatorSet.Empty(ContentKind.IPSet), null), new SetSource("", "", null, null), default);
        await world.AgeSetsAsync(TimeSpan.FromHours(2));
        InterruptedContexts away = new(world.Contexts) { Away = true };
        var job = new RetentionJob(world.RecordRetention, new AlertRetention(away, world.Alerts),
            new ListingSweep(world.Listings, new SetSweeper(world.Contexts)), world.RetentionClock, NullLogger<RetentionJob>.Instance);
        AggregateException e = await Assert.ThrowsAsync<AggregateException>(() => job.RunAsync(default));
        Assert.Contains("The database is away.", Assert.Single(e.InnerExceptions).Message);
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Empty(await db.StoredSets.ToListAsync());
    }

    [Fact]
    public async Task A_pull_whose_lease_was_lost_stops_and_writes_nothing()
    {
        using var folder = new TemporaryFolder();
        var never = new TaskCompletionSource();
        await using HostileServer server = await HostileServer.StartAsync(c => never.Task.WaitAsync(c.RequestAborted));
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        var clock = new ManualClock();
        Task job = new PullJob(host.Queue, host.Get<PullFeed>(), clock, NullLogger<PullJob>.Instance).RunAsync("names", default);
        await FeedsHost.UntilAsync(() => Task.FromResult(!server.Requests.IsEmpty));
        await host.AlterAsync(db => db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseOwner, "another")));
        await clock.AdvanceUntilAsync(RunQueue.LeaseTime / 3, () => Task.FromResult(job.IsCompleted));
        await job;
        RunRow run = (await RunRows.FindAsync(host.Get<IContextFactory>(), long.Parse((await host.Runs.ListAsync(feed, null, 1, default)).Items[0].Id)))!;
        Assert.Equal(("another", null), (run.LeaseOwner, run.FinishedAt));
        Assert.Empty(await host.ConditionsAsync("names"));
    }
}
