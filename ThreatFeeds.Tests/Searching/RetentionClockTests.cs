using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>A clock that leaps ahead deletes nothing until the leap has lasted for a day of running; then it does.</summary>
public sealed class RetentionClockTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_start_with_the_clock_400_days_ahead_deletes_neither_records_nor_alerts_until_it_has_lasted(StorageProvider provider)
    {
        await using SearchWorld world = await WorldAsync(provider);
        // Retention never ran before: what there is says what time it was.
        world.Clock.Advance(TimeSpan.FromDays(400));
        await world.RestartAsync();
        await world.RetainAsync();
        await KeptAsync(world);
        DateTimeOffset? until = (await world.States.GetAsync(default)).RetentionWaitsUntil;
        Assert.Equal(world.Clock.GetUtcNow() + TimeSpan.FromDays(1), until);

        // A machine that runs a few hours at a time gets there, too.
        for (int hour = 0; hour < 23; hour++)
        {
            world.Clock.Advance(TimeSpan.FromHours(1));
            await world.RetainAsync();
            await KeptAsync(world);
            if (hour % 5 == 4)
            {
                await world.RestartAsync();
                await world.RetainAsync();
            }
        }
        world.Clock.Advance(TimeSpan.FromHours(1));
        await world.RetainAsync();
        Assert.Empty(await world.AlertsAsync());
        Assert.Equal(0, await RecordsAsync(world));
        Assert.Null((await world.States.GetAsync(default)).RetentionWaitsUntil);
    }

    [Fact]
    public async Task Records_alone_say_what_time_it_was_in_a_folder_that_retention_never_saw()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.DnsAsync("a.example", "b.example");
        await world.SettleAsync();
        world.Clock.Advance(TimeSpan.FromDays(400));
        await world.RestartAsync();
        await world.RetainAsync();
        Assert.Equal(2, await RecordsAsync(world));
        Assert.NotNull((await world.States.GetAsync(default)).RetentionWaitsUntil);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_clock_set_right_again_is_believed_at_once(StorageProvider provider)
    {
        await using SearchWorld world = await WorldAsync(provider);
        var wrong = new ManualClock(world.Clock.GetUtcNow() + TimeSpan.FromDays(400));
        using (var ahead = new RetentionClock(world.Contexts, world.Logs, wrong, Microsoft.Extensions.Logging.Abstractions.NullLogger<RetentionClock>.Instance))
        {
            Assert.Equal(world.Clock.GetUtcNow(), await ahead.NowAsync(default));
            wrong.Advance(TimeSpan.FromHours(3));
            Assert.Equal(world.Clock.GetUtcNow() + TimeSpan.FromHours(3), await ahead.NowAsync(default));
            Assert.NotNull(ahead.WaitsUntil);
        }
        world.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(world.Clock.GetUtcNow(), await world.RetentionClock.NowAsync(default));
        Assert.Null(world.RetentionClock.WaitsUntil);
        // And a leap after that is one again.
        wrong.Advance(TimeSpan.FromDays(2));
        using var later = new RetentionClock(world.Contexts, world.Logs, wrong, Microsoft.Extensions.Logging.Abstractions.NullLogger<RetentionClock>.Instance);
        Assert.Equal(world.Clock.GetUtcNow(), await later.NowAsync(default));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_clock_that_leaps_while_the_process_runs_deletes_nothing_at_once(StorageProvider provider)
    {
        await using SearchWorld world = await WorldAsync(provider);
        var clock = new LeapingClock(world.Clock);
        using var judged = new RetentionClock(world.Contexts, world.Logs, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<RetentionClock>.Instance);
        DateTimeOffset start = world.Clock.GetUtcNow();
        Assert.Equal(start, await judged.NowAsync(default));
        // Days of running without retention are no leap.
        world.Clock.Advance(TimeSpan.FromDays(3));
        Assert.Equal(start + TimeSpan.FromDays(3), await judged.NowAsync(default));
        clock.Ahead = TimeSpan.FromDays(30);
        Assert.Equal(start + TimeSpan.FromDays(3), await judged.NowAsync(default));
        world.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(start + TimeSpan.FromDays(3) + TimeSpan.FromHours(1), await judged.NowAsync(default));
    }

    private static async Task<SearchWorld> WorldAsync(StorageProvider provider)
    {
        SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("bad", "DomainNameSet");
        await world.SetAsync("bad", "bad.example");
        await world.DnsAsync("bad.example", "a.example");
        await world.SettleAsync();
        await KeptAsync(world);
        return world;
    }

    private static async Task KeptAsync(SearchWorld world)
    {
        Assert.Single(await world.AlertsAsync());
        Assert.Equal(2, await RecordsAsync(world));
    }

    private static async Task<long> RecordsAsync(SearchWorld world)
    {
        long records = 0;
        foreach (ThreatFeeds.Logs.LogSource source in world.Logs.Sources)
        {
            records += (await world.Logs.CountAsync(source, default, await world.Logs.HeadAsync(source, default), default)).Records;
        }
        return records;
    }

    /// <summary>The wall's time leaps, the running time does not.</summary>
    private sealed class LeapingClock(ManualClock clock) : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + Ahead;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
