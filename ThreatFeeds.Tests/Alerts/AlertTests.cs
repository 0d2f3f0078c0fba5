using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Feeds;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class AlertTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Hits_within_the_grouping_hours_join_one_alert_and_later_ones_open_another(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");

        await HitAsync(world, "bad.example", TimeSpan.Zero);
        await HitAsync(world, "bad.example", TimeSpan.FromMinutes(59));
        await HitAsync(world, "bad.example", TimeSpan.FromMinutes(61));

        Assert.Equal([2L, 1L], (await world.AlertsAsync()).OrderBy(a => a.FirstSeen).Select(a => a.Count));
        await world.CheckCountsAsync();
    }

    [Theory]
    [InlineData("a\0b", false)]
    [InlineData("a\u001bb", false)]
    [InlineData("a\u0085b", false)]
    [InlineData("two\r\n\tlines, \ud83d\ude00", true)]
    public void A_note_takes_text_and_no_control_characters_but_ends_of_lines_and_tabs(string note, bool taken)
    {
        string? problem = AlertChanges.Problem(new AlertChange(null, note));
        Assert.Equal(taken, problem is null);
        Assert.True(taken || problem!.Contains("note", StringComparison.Ordinal));
        // An attribute cannot hold half a surrogate pair.
        Assert.NotNull(AlertChanges.Problem(new AlertChange(null, note + "\ud800")));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_hit_that_joins_leaves_what_a_user_set(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await HitAsync(world, "bad.example", TimeSpan.Zero);
        string id = (await world.AlertsAsync()).Single().Id.ToString();
        var changes = new AlertChanges(world.Contexts);

        Assert.Empty(await changes.ApplyAsync([id], new AlertChange(AlertState.Dismissed, "known scanner"), Actor.Local, default));
        await HitAsync(world, "bad.example", TimeSpan.FromMinutes(1));

        AlertView alert = (await new AlertQueries(world.Contexts, world.Logs).FindAsync(id, default))!;
        Assert.Equal((AlertState.Dismissed, "known scanner", 2L), (alert.State, alert.Note, alert.Count));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_change_with_an_unknown_id_changes_nothing(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await HitAsync(world, "bad.example", TimeSpan.Zero);
        string id = (await world.AlertsAsync()).Single().Id.ToString();

        IReadOnlyList<string> unknown = await new AlertChanges(world.Contexts).ApplyAsync([id, "987654", "nonsense"], new AlertChange(AlertState.Dismissed, null), Actor.Local, default);

        Assert.Equal(["987654", "nonsense"], unknown.Order());
        Assert.Equal(AlertState.Open, (await world.AlertsAsync()).Single().State);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Feeds_of_an_alert_are_all_that_ever_covered_one_of_its_hits(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await HitAsync(world, "bad.example", TimeSpan.Zero);
        await world.FeedAsync("two", "DomainNameSet");
        await world.SetAsync("two", "*.example.org", "bad.example");
        await world.SettleAsync();
        await world.Feeds.DeleteAsync("one", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        await world.SettleAsync();

        var queries = new AlertQueries(world.Contexts, world.Logs);
        AlertView alert = Assert.Single((await queries.ListAsync(new AlertFilter(Feed: "two"), default)).Items);
        Assert.Equal(["one", "two"], alert.Feeds);
        Assert.Equal(1, alert.Count);
        Assert.Equal(["one", "two"], Assert.Single((await queries.HitsAsync(alert.Id, null, 10, default))!.Items).Feeds);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_first_and_last_ten_records_outlive_the_log(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        for (int i = 0; i < 25; i++)
        {
            await HitAsync(world, "bad.example", TimeSpan.FromSeconds(10));
        }
        world.RetentionOptions.RetentionDays = 1;
        world.Clock.Advance(TimeSpan.FromDays(3));
        // Only sealed segments are deleted; a record of another day seals.
        await world.DnsAsync("good.example");
        await world.SettleAsync();
        await world.RetainAsync();

        string id = (await world.AlertsAsync()).Single().Id.ToString();
        IReadOnlyList<HitView> hits = (await new AlertQueries(world.Contexts, world.Logs).HitsAsync(id, null, 100, default))!.Items;
        Assert.Equal(25, hits.Count);
        Assert.Equal(Enumerable.Repeat(true, 10).Concat(Enumerable.Repeat(false, 5)).Concat(Enumerable.Repeat(true, 10)), hits.Select(h => h.Record is not null));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Pages_in_every_order_give_each_alert_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        string[] names = [.. Enumerable.Range(0, 23).Select(i => $"n{i}.example")];
        await world.SetAsync("one", names);
        // Times, counts and severities that do not go together, with some alike.
        for (int i = 0; i < names.Length; i++)
        {
            world.Clock.Advance(TimeSpan.FromSeconds(i % 3));
            string line = world.Dns(names[i * 7 % names.Length]);
            await world.LinesAsync(LogKind.Dns, i % 4 == 0 ? line.Replace("\"rrsets\":[]", "\"rrsets\":[{\"name\":\"x\",\"rdata\":[\"y\"]}]", StringComparison.Ordinal) : line);
        }
        world.Clock.Advance(TimeSpan.FromSeconds(5));
        await world.DnsAsync([.. names.Take(7), .. names.Take(3)]);
        await world.SettleAsync();
        var queries = new AlertQueries(world.Contexts, world.Logs);

        foreach (string sort in new[] { "lastSeen", "-lastSeen", "firstSeen", "-firstSeen", "severity", "-severity", "count", "-count" })
        {
            var seen = new List<AlertView>();
            string? after = null;
            do
            {
                Page<AlertView> page = await queries.ListAsync(new AlertFilter(Sort: sort, After: after, Limit: 5), default);
                seen.AddRange(page.Items);
                after = page.Next;
            }
            while (after is not null);
            Assert.Equal(names.Order(StringComparer.Ordinal), seen.Select(a => a.Indicator).Order(StringComparer.Ordinal));
            long[] keys = [.. seen.Select(a => sort.TrimStart('-') switch
            {
                "lastSeen" => a.LastSeen.ToUnixTimeMilliseconds(),
                "firstSeen" => a.FirstSeen.ToUnixTimeMilliseconds(),
                "severity" => (long)a.Severity,
                _ => a.Count,
            })];
            Assert.True(keys.Distinct().Count() > 1, sort);
            Assert.Equal(sort[0] == '-' ? keys.OrderDescending() : keys.Order(), keys);
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Pages_of_hits_within_one_millisecond_and_before_1970_give_each_hit_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.Alerts.GroupingHours = 24 * 366 * 100;
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        string now = world.Dns("bad.example");
        string old = now.Replace($"\"end_time\":{world.Clock.GetUtcNow().ToUnixTimeSeconds()}", "\"end_time\":\"1965-01-01T00:00:00Z\"", StringComparison.Ordinal);
        await world.LinesAsync(LogKind.Dns, [.. Enumerable.Repeat(now, 23), .. Enumerable.Repeat(old, 5)]);
        await world.SettleAsync();
        var queries = new AlertQueries(world.Contexts, world.Logs);
        string id = Assert.Single(await world.AlertsAsync()).Id.ToString();

        foreach (int limit in new[] { 1, 4, 5, 23, 28 })
        {
            var seen = new List<HitView>();
            string? after = null;
            do
            {
                Page<HitView> page = (await queries.HitsAsync(id, after, limit, default))!;
                Assert.InRange(page.Items.Count, 1, limit);
                seen.AddRange(page.Items);
                after = page.Next;
                Assert.True(seen.Count <= 28, "pages repeat");
            }
            while (after is not null);
            Assert.Equal(28, seen.Select(h => h.Id).Distinct().Count());
            Assert.Equal(seen.Select(h => h.Time).OrderDescending(), seen.Select(h => h.Time));
        }
        Assert.All(new[] { "", "5", "5-1", "x_1", "1_-1", "1_99999999999", "1_1_1" }, c => Assert.False(AlertQueries.IsHitCursor(c), c));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Every_filter_keeps_what_it_names_and_nothing_else(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "bad.example");
        await world.FeedAsync("addresses", "IPSet");
        await world.SetAsync("addresses", "192.0.2.0/24");
        await world.DnsAsync("bad.example");
        await world.FlowsAsync("192.0.2.7");
        await world.SettleAsync();
        var queries = new AlertQueries(world.Contexts, world.Logs);
        DateTimeOffset now = world.Clock.GetUtcNow();

        await HasAsync(new AlertFilter(Kind: "dns"), "bad.example");
        await HasAsync(new AlertFilter(Kind: "dns,flow"), "192.0.2.0/24", "bad.example");
        await HasAsync(new AlertFilter(Feed: "addresses"), "192.0.2.0/24");
        await HasAsync(new AlertFilter(Indicator: "bad.example"), "bad.example");
        await HasAsync(new AlertFilter(Cluster: "elsewhere"));
        await HasAsync(new AlertFilter(Cluster: "cluster", Namespace: "shop", Workload: "web-1"), "192.0.2.0/24", "bad.example");
        await HasAsync(new AlertFilter(Workload: "web-2"));
        // A flow out that was allowed; a name asked for without an answer.
        await HasAsync(new AlertFilter(Severity: "critical"), "192.0.2.0/24");
        await HasAsync(new AlertFilter(Severity: "medium"), "bad.example");
        await HasAsync(new AlertFilter(State: "dismissed"));
        await HasAsync(new AlertFilter(Since: now.AddHours(-1), Until: now.AddHours(1)), "192.0.2.0/24", "bad.example");
        await HasAsync(new AlertFilter(Since: now.AddHours(1)));
        await HasAsync(new AlertFilter(Until: now.AddHours(-1)));

        async Task HasAsync(AlertFilter filter, params string[] indicators) =>
            Assert.Equal(indicators, (await queries.ListAsync(filter, default)).Items.Select(a => a.Indicator).Order(StringComparer.Ordinal));
    }

    private static async Task HitAsync(SearchWorld world, string name, TimeSpan after)
    {
        world.Clock.Advance(after);
        await world.DnsAsync(name);
        await world.SettleAsync();
    }
}
