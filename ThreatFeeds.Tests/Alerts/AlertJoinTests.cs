using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>Which alert a hit joins, and what the alert then shows. Alerts are grouped by the hour here.</summary>
public sealed class AlertJoinTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Endpoint Pod = new("shop", "web-1", false, new Dictionary<string, string>(), "10.0.0.7", 40_000, "wep");
    private static readonly Endpoint Far = new("", "", false, new Dictionary<string, string>(), "192.0.2.1", 443, "net");

    private readonly AlertOptions _options = new() { GroupingHours = 1 };
    private readonly ManualClock _clock = new();
    private TestDatabase _database = null!;
    private long _ordinal;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _database.DisposeAsync().AsTask();

    [Theory, OnSqlite, OnPostgres]
    public async Task A_hit_that_comes_late_joins_the_alert_that_began_after_it(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        await WriteAsync(Name(Noon));
        await WriteAsync(Name(Noon.AddMinutes(-59)));
        AlertView alert = Assert.Single(await AlertsAsync());
        Assert.Equal((2L, Noon.AddMinutes(-59), Noon), (alert.Count, alert.FirstSeen, alert.LastSeen));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_hit_as_far_as_the_grouping_hours_joins_and_one_a_millisecond_further_opens_another(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        await WriteAsync(Name(Noon));
        await WriteAsync(Name(Noon.AddHours(1)));
        Assert.Equal([2L], (await AlertsAsync()).Select(a => a.Count));
        await WriteAsync(Name(Noon.AddHours(2).AddMilliseconds(1)));
        Assert.Equal([2L, 1L], (await AlertsAsync()).Select(a => a.Count));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_hit_between_two_alerts_joins_the_nearer(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        await WriteAsync(Name(Noon));
        await WriteAsync(Name(Noon.AddMinutes(90)));
        await WriteAsync(Name(Noon.AddMinutes(50)));
        Assert.Equal([1L, 2L], (await AlertsAsync()).Select(a => a.Count));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Hits_written_together_are_grouped_in_the_order_of_their_times(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        await WriteAsync(Name(Noon.AddMinutes(100)), Name(Noon), Name(Noon.AddMinutes(50)));
        AlertView alert = Assert.Single(await AlertsAsync());
        Assert.Equal((3L, Noon, Noon.AddMinutes(100)), (alert.Count, alert.FirstSeen, alert.LastSeen));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_hit_that_comes_twice_at_once_is_one_hit(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        FoundHit hit = Name(Noon);
        Assert.Single(await WriteAsync(hit, hit with { Field = HitField.RecordName }));
        Assert.Equal(1, Assert.Single(await AlertsAsync()).Count);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_flow_that_was_allowed_and_one_that_was_denied_are_two_alerts(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        await WriteAsync(Flow(Noon, Pod, Far, FlowAction.Allow), Flow(Noon, Pod, Far, FlowAction.Deny));
        Assert.Equal([FlowAction.Allow, FlowAction.Deny], (await AlertsAsync()).Select(a => a.Action!.Value).Order());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task An_alert_shows_node_labels_and_peer_of_its_newest_hit_whichever_came_last(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        Endpoint now = Pod with { Aggregated = true, Labels = new Dictionary<string, string> { ["app"] = "new" } };
        await WriteAsync(Flow(Noon, now, Far with { Name = "db" }, FlowAction.Allow, "node-2"));
        await WriteAsync(Flow(Noon.AddMinutes(-1), Pod with { Ip = "10.0.0.1" }, Far with { Port = 80, Name = "old" }, FlowAction.Allow, "node-1"));
        AlertView alert = Assert.Single(await AlertsAsync());
        Assert.Equal(("node-2", true, "10.0.0.7", "new"), (alert.Workload.Node, alert.Workload.Aggregated, alert.Workload.Ip, alert.Workload.Labels["app"]));
        Assert.Equal(new AlertPeer("192.0.2.1", 443, "db"), alert.Peer);

        await WriteAsync(Flow(Noon.AddMinutes(1), Pod, Far with { Port = 22 }, FlowAction.Allow, "node-3"));
        alert = Assert.Single(await AlertsAsync());
        Assert.Equal(("node-3", false), (alert.Workload.Node, alert.Workload.Aggregated));
        Assert.Empty(alert.Workload.Labels);
        // What has no name shows none, and not an empty one.
        Assert.Equal(new AlertPeer("192.0.2.1", 22, null), alert.Peer);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_name_of_a_workload_has_room_for_1_024_bytes(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        string name = new('w', 1_024);
        await WriteAsync(Flow(Noon, Pod with { Name = name }, Far, FlowAction.Allow), Flow(Noon, Pod with { Name = name + "w" }, Far, FlowAction.Allow));
        Assert.Equal([name, StorableText.Of(name + "w", 1_024)], (await AlertsAsync()).Select(a => a.Workload.Name));
    }

    [Theory]
    [InlineData(true, FlowAction.Allow, "shop/web-1 connected to 192.0.2.1 (allowed), listed by feeds one, two")]
    [InlineData(true, FlowAction.Deny, "shop/web-1 connected to 192.0.2.1 (denied), listed by feeds one, two")]
    [InlineData(true, FlowAction.None, "shop/web-1 connected to 192.0.2.1, listed by feeds one, two")]
    [InlineData(false, FlowAction.Deny, "192.0.2.1 connected to shop/web-1 (denied), listed by feeds one, two")]
    public async Task A_flow_says_who_connected_to_whom_and_what_became_of_it(bool outbound, FlowAction action, string description)
    {
        _database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        FoundHit hit = outbound ? Flow(Noon, Pod, Far, action) : Flow(Noon, Far, Pod, action) with { Field = HitField.SourceIp };
        await WriteAsync(hit with { Feeds = ["one", "two"] });
        Assert.Equal(description, Assert.Single(await AlertsAsync()).Description);
    }

    [Fact]
    public async Task A_name_has_no_peer_and_names_its_one_feed()
    {
        _database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        await WriteAsync(Name(Noon));
        AlertView alert = Assert.Single(await AlertsAsync());
        Assert.Null(alert.Peer);
        Assert.Equal("shop/web-1 asked for, or was answered with, bad.example, listed by feed one", alert.Description);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_time_of_the_last_hit_of_a_feed_is_that_of_the_newest_in_whatever_order_it_gained_them(StorageProvider provider)
    {
        _database = await TestDatabase.CreateAsync(provider);
        FoundHit[] hits = [Name(Noon), Name(Noon.AddMinutes(10)), Name(Noon.AddMinutes(20))];
        await WriteAsync(hits);
        await using ThreatFeedsContext db = _database.Factory.Create();
        db.Listings.Add(new ListingRow { Feed = "two", FeedUid = Guid.NewGuid(), Content = ContentKind.DomainNameSet, Enabled = true });
        await db.SaveChangesAsync();
        await WriteAsync([.. hits.Reverse().Select(h => h with { Feeds = ["two"] })]);
        FeedHitsRow counted = Assert.Single(await db.FeedHits.ToListAsync());
        Assert.Equal((3L, Noon.AddMinutes(20).ToUnixTimeMilliseconds()), (counted.Count, counted.LastTime));
    }

    private FoundHit Name(DateTimeOffset at) => Hit(LogKind.Dns, HitField.QueryName, "bad.example", at, new RecordDetails(null, Pod, Endpoint.Unknown, FlowAction.None, true, null));

    private FoundHit Flow(DateTimeOffset at, Endpoint source, Endpoint destination, FlowAction action, string? node = null) =>
        Hit(LogKind.Flow, HitField.DestinationIp, "192.0.2.1", at, new RecordDetails(null, source, destination, action, false, node));

    private FoundHit Hit(LogKind kind, HitField field, string value, DateTimeOffset at, RecordDetails details) =>
        new(new LogSource("s", "s", kind), new Position(1, ++_ordinal), at, field, value, value, ["one"], details, "{}"u8.ToArray());

    private async Task<IReadOnlyList<FoundHit>> WriteAsync(params FoundHit[] hits)
    {
        await using ThreatFeedsContext db = _database.Factory.Create();
        await using var transaction = await db.Database.BeginTransactionAsync();
        IReadOnlyList<FoundHit> fresh = await new HitWriter(_options, _clock).WriteAsync(db, hits, default);
        await transaction.CommitAsync();
        return fresh;
    }

    /// <summary>In the order of their beginnings.</summary>
    private async Task<IReadOnlyList<AlertView>> AlertsAsync() =>
        (await new AlertQueries(_database.Factory, null!).ListAsync(new AlertFilter(Sort: "firstSeen"), default)).Items;
}
