using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Manifests;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Runs;

/// <summary>Runs whose owners come between each other, and what of other feeds must stay as it is.</summary>
public sealed class RunRaceTests : IAsyncLifetime
{
    private static readonly RunEnd s_unchanged = new(RunOutcome.Unchanged, null);
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_lease_renewed_while_another_looks_is_not_taken_over()
    {
        RunRow run = await StartAsync(NewFeed("names"));
        await EndLeasesAsync();
        InterruptedContexts contexts = new(_database.Factory);
        contexts.Interrupt(2, async () => Assert.True(await Of("one").RenewAsync(run, default)));
        Assert.Empty(await Of("two", contexts).TakeOverAsync(default));
        Assert.True(contexts.Interrupted);
        Assert.StartsWith("one/", (await RunRows.FindAsync(_database.Factory, run.Id))!.LeaseOwner, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_begins_with_a_lease_that_nobody_may_take_over()
    {
        await StartAsync(NewFeed("names"));
        Assert.Empty(await Of("two").TakeOverAsync(default));
    }

    [Fact]
    public async Task What_is_taken_over_wakes_whoever_carries_it_out_and_leaves_one_queued_run()
    {
        Feed feed = NewFeed("names");
        RunRow run = await StartAsync(feed);
        await Of("one").EnqueueAsync(feed, RunTrigger.Schedule, Actor.System, default);
        await EndLeasesAsync();
        RunQueue two = Of("two");
        var woken = new List<string>();
        two.Queued += woken.Add;
        await two.TakeOverAsync(default);
        Assert.Equal(["names"], woken);
        await using ThreatFeedsContext db = _database.Factory.Create();
        Assert.Equal(run.Id, (await db.Runs.SingleAsync(r => r.FinishedAt == null)).Id);
    }

    [Fact]
    public async Task Work_ends_when_the_database_was_away_for_longer_than_the_lease()
    {
        RunRow run = await StartAsync(NewFeed("names"));
        InterruptedContexts contexts = new(_database.Factory) { Away = true };
        var clock = new ManualClock();
        DateTimeOffset start = clock.GetUtcNow();
        await using var lease = new RunLease(Of("one", contexts), run, clock, default);
        for (TimeSpan passed = TimeSpan.Zero; passed < RunQueue.LeaseTime * 0.9; passed += RunQueue.LeaseTime / 3)
        {
            Assert.False(lease.Token.IsCancellationRequested);
            await NextTurnAsync(clock);
            clock.Advance(RunQueue.LeaseTime / 3);
        }
        await clock.AdvanceUntilAsync(RunQueue.LeaseTime / 3, () => Task.FromResult(lease.Token.IsCancellationRequested));
        Assert.True(lease.Lost);
        Assert.Equal(start + RunQueue.LeaseTime, clock.GetUtcNow());
    }

    [Fact]
    public async Task A_lease_is_renewed_well_before_it_is_over()
    {
        RunRow run = await StartAsync(NewFeed("names"));
        await EndLeasesAsync();
        var clock = new ManualClock();
        await using var lease = new RunLease(Of("one"), run, clock, default);
        await NextTurnAsync(clock);
        clock.Advance(RunQueue.LeaseTime / 2);
        await NextTurnAsync(clock);
        Assert.True((await RunRows.FindAsync(_database.Factory, run.Id))!.LeaseUntil > DateTime.UnixEpoch.AddYears(1));
    }

    [Fact]
    public async Task Everything_that_happens_to_a_run_is_told()
    {
        Feed feed = NewFeed("names");
        RunQueue queue = Of("one");
        int told = 0;
        queue.RunChanged += () => told++;
        await queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        Assert.Equal(1, told);
        RunRow run = (await queue.StartNextAsync("names", default))!;
        Assert.Equal(2, told);
        await queue.FinishAsync(run, s_unchanged, default);
        Assert.Equal(3, told);
        // It ended already.
        await queue.FinishAsync(run, s_unchanged, default);
        Assert.Equal(3, told);
    }

    [Fact]
    public async Task Forgetting_old_runs_of_one_feed_leaves_those_of_others()
    {
        Feed quiet = NewFeed("quiet"), busy = NewFeed("busy");
        RunRow kept = await Of("one").RecordAsync(quiet, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), s_unchanged, default);
        for (int i = 0; i <= RunHistory.Kept; i++)
        {
            await Of("one").RecordAsync(busy, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), s_unchanged, default);
        }
        Assert.NotNull(await RunRows.FindAsync(_database.Factory, kept.Id));
        await using ThreatFeedsContext db = _database.Factory.Create();
        Assert.Equal(RunHistory.Kept, await db.Runs.CountAsync(r => r.Feed == "busy"));
    }

    [Fact]
    public async Task A_run_is_shown_as_its_own_feeds_only()
    {
        Feed feed = NewFeed("names"), namesake = NewFeed("names"), other = NewFeed("other");
        RunRow run = await Of("one").RecordAsync(feed, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), s_unchanged, default);
        string id = $"{run.Id}";
        Assert.NotNull(await History.FindAsync(feed, id, default));
        Assert.Null(await History.FindAsync(namesake, id, default));
        Assert.Null(await History.FindAsync(other, id, default));
    }

    [Fact]
    public async Task A_push_is_no_pull_and_an_active_run_is_under_way()
    {
        Feed feed = NewFeed("names");
        RunRow run = await StartAsync(feed);
        Assert.Contains(feed.Uid, await History.UnfinishedAsync(default));
        await Of("one").FinishAsync(run, s_unchanged, default);
        await Of("one").RecordAsync(feed, RunTrigger.Push, Actor.Local, TimeProvider.System.GetUtcNow(), s_unchanged, default);
        Assert.DoesNotContain(feed.Uid, await History.UnfinishedAsync(default));
        Assert.Equal(run.Id, (await History.LastPullsAsync(default))[feed.Uid].Id);
    }

    [Theory]
    [InlineData(RunOutcome.Failed, 24 * 60, 15)]
    [InlineData(RunOutcome.Failed, 5, 5)]
    [InlineData(RunOutcome.Kept, 24 * 60, 24 * 60)]
    [InlineData(RunOutcome.Replaced, 60, 60)]
    public void Only_a_failed_pull_is_tried_again_before_its_period_is_over(RunOutcome outcome, int period, int minutes)
    {
        var last = new RunRow { Id = 7, Feed = "names", FinishedAt = DateTime.UnixEpoch, Outcome = outcome };
        TimeSpan wait = PullTimes.Next(last, TimeSpan.FromMinutes(period)) - DateTimeOffset.UnixEpoch;
        TimeSpan most = TimeSpan.FromMinutes(Math.Min(minutes / 20.0, 1));
        Assert.InRange(wait, TimeSpan.FromMinutes(minutes) - most, TimeSpan.FromMinutes(minutes) + most);
    }

    private RunHistory History => new(_database.Factory);

    private static Feed NewFeed(string name) => new(name, Guid.NewGuid(), 1, new FeedSpec(ContentKind.DomainNameSet, true, null, false, null, null),
        new Dictionary<string, string>(), new Dictionary<string, string>());

    private RunQueue Of(string instance, IContextFactory? contexts = null) => new(contexts ?? _database.Factory, new InstanceId(instance), TimeProvider.System);

    private async Task<RunRow> StartAsync(Feed feed)
    {
        await Of("one").EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        return (await Of("one").StartNextAsync(feed.Name, default))!;
    }

    private async Task EndLeasesAsync()
    {
        await using ThreatFeedsContext db = _database.Factory.Create();
        await db.Runs.ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, DateTime.SpecifyKind(DateTime.UnixEpoch, DateTimeKind.Utc)));
    }

    /// <summary>Until the renewal waits for its time again.</summary>
    private static async Task NextTurnAsync(ManualClock clock)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (clock.Waiting == 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
