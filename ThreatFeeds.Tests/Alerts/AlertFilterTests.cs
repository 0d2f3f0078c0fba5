using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>The edges of filters, cursors and changes of alerts.</summary>
public sealed class AlertFilterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory, OnSqlite, OnPostgres]
    public async Task Since_and_until_include_the_time_they_name(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await AddAsync(database, Alert("a.example", Noon));
        await HasAsync(database, new AlertFilter(Since: Noon), "a.example");
        await HasAsync(database, new AlertFilter(Until: Noon), "a.example");
        await HasAsync(database, new AlertFilter(Until: Noon, Sort: "count"), "a.example");
        await HasAsync(database, new AlertFilter(Since: Noon, Until: Noon), "a.example");
        await HasAsync(database, new AlertFilter(Since: Noon.AddMilliseconds(1)));
        await HasAsync(database, new AlertFilter(Until: Noon.AddMilliseconds(-1)));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task What_a_record_really_said_finds_its_alert_however_long_it_is(StorageProvider provider)
    {
        string space = new('n', 600), workload = new('w', 1_200), name = new('i', 600);
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        AlertRow alert = Alert(StorableText.Of(name, StorableHit.Indicator), Noon);
        alert.Namespace = StorableText.Of(space, StorableHit.Namespace);
        alert.Workload = StorableText.Of(workload, StorableHit.Workload);
        await AddAsync(database, alert, Alert("other.example", Noon));
        foreach (AlertFilter filter in new AlertFilter[] { new(Namespace: space), new(Workload: workload), new(Indicator: name) })
        {
            await HasAsync(database, filter, alert.Indicator);
        }
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Values_stand_with_or_without_spaces_between(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await AddAsync(database, Alert("a.example", Noon), Alert("b.example", Noon), Alert("c.example", Noon));
        await HasAsync(database, new AlertFilter(Indicator: "a.example, c.example"), "a.example", "c.example");
        await HasAsync(database, new AlertFilter(Indicator: " b.example ,,"), "b.example");
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Pages_go_on_before_1970(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        var old = new DateTimeOffset(1965, 3, 1, 0, 0, 0, TimeSpan.Zero);
        await AddAsync(database, [.. Enumerable.Range(0, 5).Select(i => Alert($"n{i}.example", old.AddDays(i)))]);
        foreach (string sort in new[] { "lastSeen", "firstSeen", "severity" })
        {
            Assert.Equal(["n0.example", "n1.example", "n2.example", "n3.example", "n4.example"], await PagesAsync(database, new AlertFilter(Sort: sort, Limit: 2)));
            Assert.Equal(["n4.example", "n3.example", "n2.example", "n1.example", "n0.example"], await PagesAsync(database, new AlertFilter(Sort: "-" + sort, Limit: 2)));
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(500, true)]
    [InlineData(501, false)]
    public void A_page_has_1_to_500_alerts(int limit, bool taken) => Assert.Equal(taken, !AlertQueries.Problems(new AlertFilter(Limit: limit)).ContainsKey("limit"));

    [Theory, OnSqlite, OnPostgres]
    public async Task The_last_hits_of_a_value_are_the_newest_first(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await using ThreatFeedsContext db = world.Contexts.Create();
        await db.InsertManyAsync("hits", ["Id", "AlertId", "Source", "Segment", "Ordinal", "Time", "Field", "Value", "Indicator", "Feeds"],
            [.. new[] { 3, 1, 4, 2 }.Select(i => new object[] { (byte[])[(byte)i, .. new byte[15]], 1L, "s", 0L, -1L, (long)i, "qname", "bad.example", "bad.example", "one" })], "", default);
        IReadOnlyList<HitView> hits = await new AlertQueries(world.Contexts, world.Logs).LastHitsAsync("bad.example", 3, default);
        Assert.Equal([4L, 3L, 2L], hits.Select(h => h.Time.ToUnixTimeMilliseconds()));
    }

    [Fact]
    public void A_note_has_at_most_4000_characters()
    {
        Assert.Null(AlertChanges.Problem(new AlertChange(null, new string('x', 4_000))));
        Assert.Contains("4000", AlertChanges.Problem(new AlertChange(null, new string('x', 4_001))), StringComparison.Ordinal);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_change_of_a_thousand_alerts_changes_them_all_and_is_told_once(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await AddAsync(database, [.. Enumerable.Range(0, 1_000).Select(i => Alert($"n{i}.example", Noon))]);
        await using ThreatFeedsContext db = database.Factory.Create();
        string[] ids = [.. (await db.Alerts.Select(a => a.Id).ToListAsync()).Select(i => $"{i}")];
        var changes = new AlertChanges(database.Factory);
        int told = 0;
        changes.Changed += () => told++;
        Assert.Empty(await changes.ApplyAsync(ids, new AlertChange(AlertState.Dismissed, "all of them"), Actor.Local, default));
        Assert.Equal(1_000, await db.Alerts.CountAsync(a => a.State == AlertState.Dismissed && a.Note == "all of them"));
        Assert.Equal(1, told);
        await changes.ApplyAsync(["987654"], new AlertChange(AlertState.Open, null), Actor.Local, default);
        Assert.Equal(1, told);
    }

    private static AlertRow Alert(string indicator, DateTimeOffset at) => new()
    {
        Cluster = "cluster", Kind = LogKind.Dns, Indicator = indicator, Namespace = "shop", Workload = "web-1", Direction = Direction.Outbound, Action = FlowAction.None,
        Start = at.ToUnixTimeMilliseconds(), FirstSeen = at.ToUnixTimeMilliseconds(), LastSeen = at.ToUnixTimeMilliseconds(), Count = 1, Severity = Severity.High, OpenedAt = Noon.UtcDateTime,
    };

    private static async Task AddAsync(TestDatabase database, params AlertRow[] alerts)
    {
        await using ThreatFeedsContext db = database.Factory.Create();
        db.Alerts.AddRange(alerts);
        await db.SaveChangesAsync();
    }

    private static async Task HasAsync(TestDatabase database, AlertFilter filter, params string[] indicators) =>
        Assert.Equal(indicators, (await new AlertQueries(database.Factory, null!).ListAsync(filter, default)).Items.Select(a => a.Indicator).Order(StringComparer.Ordinal));

    /// <summary>The indicators of all pages, which are as long as they may be.</summary>
    private static async Task<List<string>> PagesAsync(TestDatabase database, AlertFilter filter)
    {
        var seen = new List<string>();
        string? after = null;
        do
        {
            AlertFilter next = filter with { After = after };
            Assert.Empty(AlertQueries.Problems(next));
            Page<AlertView> page = await new AlertQueries(database.Factory, null!).ListAsync(next, default);
            seen.AddRange(page.Items.Select(a => a.Indicator));
            after = page.Next;
            Assert.True(after is null || page.Items.Count == filter.Limit);
            Assert.True(seen.Count < 100, "pages repeat");
        }
        while (after is not null);
        return seen;
    }
}
