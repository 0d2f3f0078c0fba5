using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class HitWriterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly Endpoint Pod = new("shop", "web-1", false, new Dictionary<string, string>(), "10.0.0.7", 40000, "wep");

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_window_of_10_000_indicators_is_written(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        string[] names = [.. Enumerable.Range(0, 10_000).Select(i => $"n{i}.example")];
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", names);
        world.ForwardWindow = new SearchWindow(20_000, 10_000);
        world.Rebuild();
        await world.DnsAsync(names);

        await world.SettleAsync();

        Assert.Equal(10_000, (await world.HitsAsync()).Count);
        Assert.Equal(10_000, (await world.AlertsAsync()).Count);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Writers_at_once_with_keys_in_other_orders_neither_wait_for_ever_nor_open_an_alert_twice(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var writer = new HitWriter(world.Alerts, world.Clock);
        string[] names = [.. Enumerable.Range(0, 200).Select(i => $"n{i}.example")];
        const int Writers = 4;
        const int Windows = 5;
        using var together = new Barrier(Writers);

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(async () =>
        {
            var random = new Random(w);
            for (int window = 0; window < Windows; window++)
            {
                string[] mixed = [.. names];
                random.Shuffle(mixed);
                List<FoundHit> hits = [.. mixed.Select((n, i) => Hit(w, window, i, n, world.Clock.GetUtcNow()))];
                together.SignalAndWait(Patience);
                await using ThreatFeedsContext db = world.Contexts.Create();
                await using var transaction = await db.Database.BeginTransactionAsync();
                Assert.Equal(names.Length, (await writer.WriteAsync(db, hits, default)).Count);
                await transaction.CommitAsync();
            }
        }))).WaitAsync(Patience);

        List<AlertRow> alerts = await world.AlertsAsync();
        Assert.Equal(names.Order(StringComparer.Ordinal), alerts.Select(a => a.Indicator).Order(StringComparer.Ordinal));
        Assert.All(alerts, a => Assert.Equal(Writers * Windows, a.Count));
        await world.CheckCountsAsync();
    }

    [PostgresFact]
    public async Task Its_locks_are_few_whatever_hits()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Postgres);
        List<FoundHit> hits = [.. Enumerable.Range(0, 2_000).Select(i => Hit(0, 0, i, $"n{i}.example", world.Clock.GetUtcNow()))];
        await using ThreatFeedsContext db = world.Contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await new HitWriter(world.Alerts, world.Clock).WriteAsync(db, hits, default);

        List<int> spaces = await db.Database.SqlQueryRaw<int>("SELECT classid::int AS \"Value\" FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 2").ToListAsync();
        Assert.InRange(spaces.Count, 2, HitWriter.Locks);
        Assert.All(spaces, s => Assert.Equal(HitWriter.LockSpace, s));
        Assert.Equal(spaces.Count, (await db.Database.SqlQueryRaw<int>("SELECT 1 AS \"Value\" FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()").ToListAsync()).Count);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task An_alert_opened_or_raised_is_news_once_and_news_goes_with_a_transaction_that_fails(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var writer = new HitWriter(world.Alerts, world.Clock);
        DateTimeOffset now = world.Clock.GetUtcNow();
        await WriteAsync(commit: false, Hit(0, 0, 0, "a.example", now));
        Assert.Empty(await NewsAsync());

        await WriteAsync(commit: true, Hit(0, 0, 0, "a.example", now) with { Details = Details(answered: false) });
        await WriteAsync(commit: true, Hit(0, 0, 1, "a.example", now) with { Details = Details(answered: false) });
        Assert.Equal([AlertNews.Opened], await NewsAsync());
        await WriteAsync(commit: false, Hit(0, 0, 2, "a.example", now));
        Assert.Equal([AlertNews.Opened], await NewsAsync());
        await WriteAsync(commit: true, Hit(0, 0, 2, "a.example", now));
        await WriteAsync(commit: true, Hit(0, 0, 3, "a.example", now), Hit(0, 0, 4, "a.example", now) with { Details = Details(answered: false) });
        Assert.Equal([AlertNews.Opened, AlertNews.Raised], await NewsAsync());
        // What opens and gets worse at once is one piece of news.
        await WriteAsync(commit: true, Hit(0, 1, 0, "b.example", now) with { Details = Details(answered: false) }, Hit(0, 1, 1, "b.example", now));
        Assert.Equal([AlertNews.Opened, AlertNews.Raised, AlertNews.Opened], await NewsAsync());

        world.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        await WriteAsync(commit: true, Hit(0, 2, 0, "c.example", world.Clock.GetUtcNow()));
        await world.RetainAsync();
        Assert.Equal(4, (await NewsAsync()).Count);
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        await world.RetainAsync();
        Assert.Equal([AlertNews.Opened], await NewsAsync());

        async Task WriteAsync(bool commit, params FoundHit[] hits)
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync();
            await writer.WriteAsync(db, hits, default);
            if (commit)
            {
                await transaction.CommitAsync();
            }
        }

        async Task<List<AlertNews>> NewsAsync()
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            return await db.AlertOutbox.OrderBy(o => o.Id).Select(o => o.News).ToListAsync();
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_number_of_an_alert_that_is_gone_is_given_to_no_other(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var writer = new HitWriter(world.Alerts, world.Clock);
        var numbers = new List<long>();
        for (int i = 0; i < 3; i++)
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await using (var transaction = await db.Database.BeginTransactionAsync())
            {
                await writer.WriteAsync(db, [Hit(0, i, 0, "a.example", world.Clock.GetUtcNow()), Hit(0, i, 1, "b.example", world.Clock.GetUtcNow())], default);
                await transaction.CommitAsync();
            }
            numbers.AddRange(await db.Alerts.OrderBy(a => a.Id).Select(a => a.Id).ToListAsync());
            await db.Alerts.ExecuteDeleteAsync();
        }

        Assert.Equal(6, numbers.Distinct().Count());
        Assert.Equal(numbers.Order(), numbers);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task What_a_search_writes_of_a_flow_is_read_as_it_was_and_what_a_user_set_stays(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var writer = new HitWriter(world.Alerts, world.Clock);
        DateTimeOffset at = world.Clock.GetUtcNow();
        var peer = new Endpoint("", "far", false, new Dictionary<string, string>(), "203.0.113.9", 443, null);
        var details = new RecordDetails(at, Pod with { Labels = new Dictionary<string, string> { ["app"] = "ünder" } }, peer, FlowAction.Deny, false, "node-1");
        var source = new LogSource("f", "f", LogKind.Flow);
        var denied = new FoundHit(source, new Position(1, 1), at, HitField.DestinationIp, "203.0.113.9", "203.0.113.0/24", ["one"], details, "{}"u8.ToArray());
        await WriteAsync(denied);
        await using (ThreatFeedsContext db = world.Contexts.Create())
        {
            await db.Alerts.ExecuteUpdateAsync(a => a.SetProperty(r => r.State, AlertState.Acknowledged).SetProperty(r => r.Note, "seen"));
        }

        await WriteAsync(denied with { Position = new Position(1, 2), Time = at.AddMinutes(1), Details = details with { Node = null, Destination = peer with { Port = null, Name = "" } } });

        AlertRow alert = Assert.Single(await world.AlertsAsync());
        Assert.Equal((2, Severity.Medium, AlertState.Acknowledged, "seen"), (alert.Count, alert.Severity, alert.State, alert.Note));
        Assert.Equal((LogKind.Flow, Direction.Outbound, FlowAction.Deny, "203.0.113.0/24", "shop", "web-1"), (alert.Kind, alert.Direction, alert.Action, alert.Indicator, alert.Namespace, alert.Workload));
        Assert.Equal(((string?)null, "10.0.0.7", "203.0.113.9", (int?)null, (string?)null), (alert.Node, alert.WorkloadIp, alert.PeerIp, alert.PeerPort, alert.PeerName));
        Assert.Equal("ünder", System.Text.Json.JsonDocument.Parse(alert.Labels).RootElement.GetProperty("app").GetString());
        Assert.Equal((at.ToUnixTimeMilliseconds(), at.ToUnixTimeMilliseconds(), at.AddMinutes(1).ToUnixTimeMilliseconds()), (alert.Start, alert.FirstSeen, alert.LastSeen));
        Assert.Equal(world.Clock.GetUtcNow().UtcDateTime, alert.OpenedAt, TimeSpan.FromMilliseconds(1));

        async Task WriteAsync(FoundHit hit)
        {
            await using ThreatFeedsContext db = world.Contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync();
            await writer.WriteAsync(db, [hit], default);
            await transaction.CommitAsync();
        }
    }

    private static RecordDetails Details(bool answered) => new(null, Pod, Endpoint.Unknown, FlowAction.None, answered, null);

    private static FoundHit Hit(int source, long segment, long ordinal, string name, DateTimeOffset at) =>
        new(new LogSource($"s{source}", "s", LogKind.Dns), new Position(segment + 1, ordinal), at, HitField.QueryName, name, name, ["one"], Details(answered: true), "{}"u8.ToArray());
}
