using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class AlertRetentionTests
{
    [PostgresFact]
    public Task A_hit_that_joins_an_alert_about_to_be_deleted_is_kept_in_an_alert() =>
        // Chosen already, and nothing of it deleted yet.
        HitDuringRetentionIsKeptAsync("DELETE FROM alert_samples");

    [PostgresFact]
    public Task Retention_and_a_hit_of_the_same_alert_do_not_lock_each_other_out() => HitDuringRetentionIsKeptAsync("DELETE FROM alerts");

    [PostgresFact]
    public async Task A_hit_that_joins_an_alert_just_before_it_is_locked_keeps_it()
    {
        var before = new BeforeStatement("pg_advisory_xact_lock");
        await using SearchWorld world = await OldAlertAsync(StorageProvider.Postgres, before.Wrap);
        long id = (await world.AlertsAsync()).Single().Id;
        before.Happens = async () =>
        {
            await world.DnsAsync("bad.example");
            await world.SettleAsync();
        };
        Assert.Equal(0, await new AlertRetention(world.Contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        Assert.Null(before.Happens);
        AlertRow alert = Assert.Single(await world.AlertsAsync());
        Assert.Equal((id, 2L), (alert.Id, alert.Count));
        await world.CheckCountsAsync();
    }

    [PostgresFact]
    public async Task A_hit_that_gains_a_feed_while_it_goes_leaves_nothing_of_its_alert()
    {
        var writing = new BeforeStatement("l.\"Feed\" = ANY (");
        await using SearchWorld world = await OldAlertAsync(StorageProvider.Postgres, writing.Wrap);
        var contexts = new InterruptedContexts(world.Contexts);
        contexts.Interrupt(3, () => throw new TimeoutException("as if the process had been killed"));
        await Assert.ThrowsAsync<TimeoutException>(() => new AlertRetention(contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        Assert.Empty(await world.AlertsAsync());
        Assert.Single(await world.HitsAsync());
        await world.FeedAsync("two", "DomainNameSet");
        await world.SetAsync("two", "bad.example");
        // The look-back has found the hit known, and is about to write that its alert has gained a feed.
        Task? retention = null;
        writing.Happens = async () =>
        {
            retention = Task.Run(() => new AlertRetention(world.Contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
            await FeedsHost.UntilAsync(async () => retention.IsCompleted || await LockWaits.AnyAsync(world.Contexts));
        };
        await world.SettleAsync();
        Assert.NotNull(retention);
        await retention;
        await NothingLeftAsync(world);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task While_the_hits_of_a_deleted_alert_go_others_write_and_nobody_sees_the_alert(StorageProvider provider)
    {
        await using SearchWorld world = await ManyHitsAsync(provider);
        var contexts = new InterruptedContexts(world.Contexts);
        // The first trims, the second deletes the alert, the third some of its hits.
        contexts.Interrupt(4, async () =>
        {
            await world.FeedAsync("beside", "DomainNameSet");
            Assert.Null(await new AlertQueries(world.Contexts, world.Logs).FindAsync("1", default));
            Assert.InRange((await world.HitsAsync()).Count, 1, Many - 1);
        });
        Assert.Equal(1, await new AlertRetention(contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        Assert.True(contexts.Interrupted);
        await NothingLeftAsync(world);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_a_broken_off_retention_left_of_an_alert_goes_with_the_next(StorageProvider provider)
    {
        await using SearchWorld world = await ManyHitsAsync(provider);
        var contexts = new InterruptedContexts(world.Contexts);
        contexts.Interrupt(4, () => throw new TimeoutException("as if the process had been killed"));
        await Assert.ThrowsAsync<TimeoutException>(() => new AlertRetention(contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        Assert.NotEmpty(await world.HitsAsync());
        Assert.Equal(0, await new AlertRetention(world.Contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        await NothingLeftAsync(world);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task An_alert_goes_when_its_last_hit_and_its_opening_are_older_than_alerts_are_kept(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.Alerts.RetentionDays = 10;
        DateTimeOffset now = world.Clock.GetUtcNow(), limit = now.AddDays(-10);
        await using ThreatFeedsContext db = world.Contexts.Create();
        foreach ((string name, DateTimeOffset first, DateTimeOffset last, DateTimeOffset opened) in new[]
        {
            ("old", now.AddDays(-20), limit.AddMilliseconds(-1), now.AddDays(-20)), ("just not old", now.AddDays(-20), limit, now.AddDays(-20)),
            ("going on", now.AddDays(-20), now, now.AddDays(-20)), ("of old logs that came now", now.AddDays(-20), now.AddDays(-20), now),
        })
        {
            db.Alerts.Add(new AlertRow
            {
                Cluster = "cluster", Indicator = name, FirstSeen = first.ToUnixTimeMilliseconds(), LastSeen = last.ToUnixTimeMilliseconds(), Count = 1, Severity = Severity.High, OpenedAt = opened.UtcDateTime,
            });
        }
        await db.SaveChangesAsync();
        Assert.Equal(1, await new AlertRetention(world.Contexts, world.Alerts).RunAsync(now, default));
        Assert.Equal(["going on", "just not old", "of old logs that came now"], (await world.AlertsAsync()).Select(a => a.Indicator).Order(StringComparer.Ordinal));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_copies_of_records_go_with_their_alert(StorageProvider provider)
    {
        await using SearchWorld world = await OldAlertAsync(provider, database => database.Factory);
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal(1, await db.AlertSamples.CountAsync());
        Assert.Equal(1, await new AlertRetention(world.Contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default));
        await NothingLeftAsync(world);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_was_set_aside_is_remembered_as_long_as_alerts_are_kept(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.Alerts.RetentionDays = 30;
        DateTimeOffset now = world.Clock.GetUtcNow();
        await using ThreatFeedsContext db = world.Contexts.Create();
        db.SetAside.AddRange(new[] { 31, 29, 8, 1 }.Select(d => new SetAsideRow { Source = "s", Segment = 1, Ordinal = d, Reason = "no reason", At = now.AddDays(-d).UtcDateTime }));
        await db.SaveChangesAsync();
        await new AlertRetention(world.Contexts, world.Alerts).RunAsync(now, default);
        Assert.Equal([1L, 8L, 29L], await db.SetAside.Select(s => s.Ordinal).OrderBy(o => o).ToListAsync());
    }

    private const int Many = 15_000;

    private static async Task HitDuringRetentionIsKeptAsync(string statement)
    {
        var before = new BeforeStatement(statement);
        await using SearchWorld world = await OldAlertAsync(StorageProvider.Postgres, before.Wrap);
        Task? hit = null;
        before.Happens = async () => hit = await HitOrWaitAsync(world);
        await new AlertRetention(world.Contexts, world.Alerts).RunAsync(world.Clock.GetUtcNow(), default);
        Assert.NotNull(hit);
        await hit;
        await world.SettleAsync();
        Assert.Single(await world.AlertsAsync());
        await world.CheckCountsAsync();
    }

    private static async Task NothingLeftAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.Equal((0, 0, 0, 0), (await db.Alerts.CountAsync(), await db.Hits.CountAsync(), await db.AlertFeeds.CountAsync(), await db.AlertSamples.CountAsync()));
    }

    private static async Task<SearchWorld> ManyHitsAsync(StorageProvider provider)
    {
        SearchWorld world = await SearchWorld.CreateAsync(provider);
        DateTimeOffset old = world.Clock.GetUtcNow().AddDays(-100);
        await using ThreatFeedsContext db = world.Contexts.Create();
        db.Alerts.Add(new AlertRow
        {
            Cluster = "cluster", Indicator = "bad.example", FirstSeen = old.ToUnixTimeMilliseconds(), LastSeen = old.ToUnixTimeMilliseconds(), Count = Many,
            Severity = Severity.High, OpenedAt = old.UtcDateTime,
        });
        await db.SaveChangesAsync();
        db.AlertFeeds.Add(new AlertFeedRow { AlertId = 1, Feed = "one" });
        await db.SaveChangesAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.InsertManyAsync("hits", ["Id", "AlertId", "Source", "Segment", "Ordinal", "Time", "Field", "Value", "Indicator", "Feeds"],
            [.. Enumerable.Range(0, Many).Select(i => new object[]
            {
                (byte[])[.. BitConverter.GetBytes(i), .. new byte[12]], 1L, "s", 1L, (long)i, old.ToUnixTimeMilliseconds(), "qname", "bad.example", "bad.example", "one",
            })], "", default);
        await transaction.CommitAsync();
        return world;
    }

    /// <summary>One alert of one hit, older than alerts are kept, that one more hit would join.</summary>
    private static async Task<SearchWorld> OldAlertAsync(StorageProvider provider, Func<TestDatabase, IContextFactory> wrap)
    {
        SearchWorld world = await SearchWorld.CreateAsync(provider, wrap: wrap);
        world.Alerts.GroupingHours = 720;
        world.Alerts.RetentionDays = 1;
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("bad.example");
        await world.SettleAsync();
        world.Clock.Advance(TimeSpan.FromDays(2));
        return world;
    }

    /// <summary>One more hit, begun and written, or waiting for a lock.</summary>
    private static async Task<Task> HitOrWaitAsync(SearchWorld world)
    {
        await world.DnsAsync("bad.example");
        LogSource source = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        Task step = Task.Run(() => world.ForwardAsync(source));
        await FeedsHost.UntilAsync(async () => step.IsCompleted || await LockWaits.AnyAsync(world.Contexts));
        return step;
    }
}
