using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Runs;

public sealed class RunQueueTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_feed_has_at_most_one_active_and_one_queued_run(StorageProvider provider)
    {
        await using Queues world = await Queues.CreateAsync(provider);
        RunQueue runs = world.Of("one");
        RunRow[] first = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => runs.EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default)));
        Assert.Single(first.Select(r => r.Id).Distinct());
        RunRow?[] started = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => world.Of($"{i}").StartNextAsync("names", default)));
        RunRow active = Assert.Single(started, r => r is not null)!;
        RunRow[] second = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => runs.EnqueueAsync(world.Feed, RunTrigger.Schedule, Actor.System, default)));
        Assert.NotEqual(active.Id, Assert.Single(second.Select(r => r.Id).Distinct()));
        Assert.Null(await runs.StartNextAsync("names", default));
        await world.Of("one").FinishAsync(active, new RunEnd(RunOutcome.Unchanged, null), default);
        Assert.Equal(second[0].Id, (await runs.StartNextAsync("names", default))!.Id);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_run_that_nobody_has_begun_outlives_as_many_finished_ones_as_are_kept(StorageProvider provider)
    {
        await using Queues world = await Queues.CreateAsync(provider);
        RunRow queued = await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        for (int i = 0; i <= RunHistory.Kept; i++)
        {
            await world.Of("one").RecordAsync(world.Feed, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), new RunEnd(RunOutcome.Unchanged, null), default);
        }
        Assert.Equal(queued.Id, (await world.Of("one").StartNextAsync("names", default))!.Id);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_run_that_could_not_be_ended_is_free_again_when_its_lease_is_over(StorageProvider provider)
    {
        await using Queues world = await Queues.CreateAsync(provider);
        RunRow row = await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        await world.Of("one").StartNextAsync("names", default);
        await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Schedule, Actor.System, default);
        Assert.Empty(await world.Of("two").TakeOverAsync(default));
        await world.EndLeasesAsync();
        Assert.Equal(["names"], await world.Of("two").TakeOverAsync(default));
        Assert.Equal(row.Id, (await world.Of("two").StartNextAsync("names", default))!.Id);
        Assert.Null(await world.Of("two").StartNextAsync("names", default));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Who_lost_its_lease_can_neither_renew_nor_end_the_run(StorageProvider provider)
    {
        await using Queues world = await Queues.CreateAsync(provider);
        await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        RunRow run = (await world.Of("one").StartNextAsync("names", default))!;
        Assert.True(await world.Of("one").RenewAsync(run, default));
        await world.EndLeasesAsync();
        await world.Of("two").TakeOverAsync(default);
        RunRow again = (await world.Of("two").StartNextAsync("names", default))!;
        Assert.False(await world.Of("one").RenewAsync(run, default));
        await world.Of("one").FinishAsync(run, new RunEnd(RunOutcome.Failed, "late"), default);
        Assert.Null((await world.RunAsync(run.Id))!.FinishedAt);
        await world.Of("two").FinishAsync(again, new RunEnd(RunOutcome.Unchanged, "done"), default);
        Assert.Equal((RunOutcome.Unchanged, "done"), ((await world.RunAsync(run.Id))!.Outcome, (await world.RunAsync(run.Id))!.Message));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_start_takes_back_its_own_runs_at_once_and_nobody_elses(StorageProvider provider)
    {
        await using Queues world = await Queues.CreateAsync(provider);
        await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        await world.Of("one").StartNextAsync("names", default);
        Assert.Empty(await world.Of("two").TakeBackAsync(default));
        Assert.Equal(["names"], await world.Of("one").TakeBackAsync(default));
        Assert.Equal(["names"], await world.Of("two").QueuedFeedsAsync(default));
    }

    [Fact]
    public async Task A_run_that_a_version_without_leases_left_behind_is_taken_back()
    {
        await using Queues world = await Queues.CreateAsync(StorageProvider.Sqlite);
        await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        await world.Of("one").StartNextAsync("names", default);
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            await db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseOwner, (string?)null).SetProperty(r => r.LeaseUntil, (DateTime?)null));
        }
        Assert.Equal(["names"], await world.Of("two").TakeBackAsync(default));
    }

    [Fact]
    public async Task A_lease_is_renewed_while_the_work_goes_on_and_work_ends_when_it_is_lost()
    {
        await using Queues world = await Queues.CreateAsync(StorageProvider.Sqlite);
        await world.Of("one").EnqueueAsync(world.Feed, RunTrigger.Manual, Actor.Local, default);
        RunRow run = (await world.Of("one").StartNextAsync("names", default))!;
        var clock = new ManualClock();
        await using var lease = new RunLease(world.Of("one"), run, clock, default);
        await world.EndLeasesAsync();
        await clock.AdvanceUntilAsync(RunQueue.LeaseTime / 3, async () => (await world.RunAsync(run.Id))!.LeaseUntil > DateTime.UnixEpoch.AddYears(1));
        Assert.False(lease.Lost);
        await world.EndLeasesAsync();
        await world.Of("two").TakeOverAsync(default);
        await clock.AdvanceUntilAsync(RunQueue.LeaseTime / 3, () => Task.FromResult(lease.Lost));
        Assert.True(lease.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_hundred_finished_runs_are_kept_and_listed_newest_first()
    {
        await using Queues world = await Queues.CreateAsync(StorageProvider.Sqlite);
        for (int i = 0; i < RunHistory.Kept + 5; i++)
        {
            await world.Of("one").RecordAsync(world.Feed, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), new RunEnd(RunOutcome.Replaced, $"{i}"), default);
        }
        var seen = new List<string?>();
        string? after = null;
        do
        {
            Page<FeedRun> page = await world.History.ListAsync(world.Feed, after, 30, default);
            seen.AddRange(page.Items.Select(r => r.Message));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Range(5, RunHistory.Kept).Reverse().Select(i => $"{i}"), seen);
    }

    [Theory]
    [InlineData("junk", false)]
    [InlineData("-1", false)]
    [InlineData("", false)]
    [InlineData("17", true)]
    public void A_cursor_is_what_a_page_gave(string text, bool cursor) => Assert.Equal(cursor, RunHistory.IsCursor(text));

    /// <summary>One database and as many processes on it as a test names.</summary>
    private sealed class Queues : IAsyncDisposable
    {
        private readonly TestDatabase _database;

        private Queues(TestDatabase database) => _database = database;

        public Feed Feed { get; } = new("names", Guid.NewGuid(), 1, new FeedSpec(ContentKind.DomainNameSet, true, null, false, null, null),
            new Dictionary<string, string>(), new Dictionary<string, string>());

        public IContextFactory Contexts => _database.Factory;

        public RunHistory History => new(_database.Factory);

        public Task<RunRow?> RunAsync(long id) => RunRows.FindAsync(_database.Factory, id);

        public static async Task<Queues> CreateAsync(StorageProvider provider) => new(await TestDatabase.CreateAsync(provider));

        public RunQueue Of(string instance) => new(_database.Factory, new InstanceId(instance), TimeProvider.System);

        /// <summary>As after the owners' silence.</summary>
        public async Task EndLeasesAsync()
        {
            await using ThreatFeedsContext db = Contexts.Create();
            await db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Utc)));
        }

        public ValueTask DisposeAsync() => _database.DisposeAsync();
    }
}
