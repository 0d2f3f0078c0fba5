using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Matching;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>Whatever a record holds, those behind it are found.</summary>
public sealed class UnwritableRecordTests
{
    private static readonly string[] Fields = ["client_name", "client_name_aggr", "client_namespace", "client_ip", "host", "rcode", "qtype", "client_labels", "qname"];

    /// <summary>Seconds measured by the test at work.</summary>
    private static readonly AsyncLocal<List<double>?> _measured = new();

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Odd_text_in_any_field_stops_nothing(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.ForwardWindow = new SearchWindow(20_000, 10_000);
        world.Rebuild();
        await world.FeedAsync("one", "DomainNameSet", below: true);
        await world.SetAsync("one", "bad.example");
        string[] odd = [@"a\u0000b", @"\ud800", @"x\udc00\ud800y", "🦊", @"\u0085\u001b[31m", new string('x', 100_000)];
        string[] lines = [.. from field in Fields from text in odd select Line(field, text), world.Dns("bad.example")];

        Ingestion taken = await world.LinesAsync(LogKind.Dns, lines);
        await world.SettleAsync();

        List<HitRow> hits = await world.HitsAsync();
        SearchState state = await world.States.GetAsync(default);
        Assert.True(state.Idle);
        Assert.Equal(0, state.SetAside);
        // A name that is half a surrogate pair is no name; everything else hits.
        int expected = lines.Length - odd.Count(o => o.Contains("\\ud800", StringComparison.Ordinal));
        Assert.InRange(hits.Select(h => (h.Segment, h.Ordinal)).Distinct().Count(), expected - taken.Refused, expected);
        Assert.Contains(hits, h => h.Value == "bad.example");
        await world.CheckCountsAsync();
        var queries = new AlertQueries(world.Contexts, world.Logs);
        IReadOnlyList<AlertView> alerts = (await queries.ListAsync(new AlertFilter(Limit: 500), default)).Items;
        Assert.Contains(alerts, a => a.Workload.Name == "a\\u0000b");
        Assert.Equal("a\\u0000b", Assert.Single((await queries.ListAsync(new AlertFilter(Workload: "a\0b"), default)).Items).Workload.Name);
        foreach (AlertView alert in alerts)
        {
            Assert.All((await queries.HitsAsync(alert.Id, null, 100, default))!.Items, h => Assert.NotNull(h.Record));
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_name_of_900_000_characters_stays_apart_from_another_and_finds_its_alert(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet", below: true);
        await world.SetAsync("one", "bad.example");
        // Nothing that a database could compress away.
        var random = new Random(1);
        string name = string.Concat(Enumerable.Range(0, 900_000).Select(_ => (char)random.Next('a', 'z' + 1)));
        string host = string.Join('.', name.Chunk(50).Select(c => new string(c))) + ".bad.example";
        string[] lines = [Line("client_name", name + "1"), Line("client_name", name + "2"), Line("client_namespace", name), Line("qname", host), world.Dns("bad.example")];

        await world.LinesAsync(LogKind.Dns, lines);
        await world.SettleAsync();

        Assert.Equal(5, (await world.HitsAsync()).Count);
        Assert.Equal(0, (await world.States.GetAsync(default)).SetAside);
        var queries = new AlertQueries(world.Contexts, world.Logs);
        AlertView one = Assert.Single((await queries.ListAsync(new AlertFilter(Workload: name + "1"), default)).Items);
        AlertView two = Assert.Single((await queries.ListAsync(new AlertFilter(Workload: name + "2"), default)).Items);
        Assert.NotEqual(one.Workload.Name, two.Workload.Name);
        Assert.Single(await queries.LastHitsAsync(host, 10, default));
        await using ThreatFeedsContext db = world.Contexts.Create();
        Assert.All(await db.Alerts.ToListAsync(), a => Assert.InRange(Encoding.UTF8.GetByteCount(a.Cluster + a.Indicator + a.Namespace + a.Workload), 1, 2600));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Labels_are_bounded_in_number_and_bytes(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        string labels = "{" + string.Join(',', Enumerable.Range(0, 500).Select(i => $"\"l{i:000}\":\"{new string('v', 1000)}\"")) + "}";

        await world.LinesAsync(LogKind.Dns, Line("qname", "bad.example").Replace("}", $",\"client_labels\":{labels}}}", StringComparison.Ordinal));
        await world.SettleAsync();

        Dictionary<string, string> kept = JsonSerializer.Deserialize<Dictionary<string, string>>((await world.AlertsAsync()).Single().Labels)!;
        Assert.Equal(64, kept.Count);
        Assert.Contains("l000", kept.Keys);
        Assert.All(kept.Values, v => Assert.Equal(256, Encoding.UTF8.GetByteCount(v)));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_record_that_can_never_be_written_is_set_aside_and_the_others_come_forward_and_back(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.ForwardWindow = world.LookBackWindow = new SearchWindow(20_000, 10_000);
        world.Rebuild();
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example", "never.example");
        await RefuseAsync(world, provider, "never.example");
        await RefuseAsync(world, provider, "never-too.example");

        await world.DnsAsync("bad.example", "never.example", "bad.example", "later.example", "never-too.example", "bad.example");
        await world.SettleAsync();

        Assert.Equal(["bad.example", "bad.example", "bad.example"], (await world.HitsAsync()).Select(h => h.Value));
        await AsideAsync(world, 1);
        // What is listed later looks back over the same records.
        await world.SetAsync("one", "bad.example", "never.example", "later.example", "never-too.example");
        await world.SettleAsync();
        Assert.Equal(4, (await world.HitsAsync()).Count);
        await AsideAsync(world, 2);
        // And once more: a record is set aside once.
        await world.FeedAsync("one", "DomainNameSet", "Disabled");
        await world.SettleAsync();
        await world.FeedAsync("one", "DomainNameSet");
        await world.SettleAsync();
        await AsideAsync(world, 2);
        await world.CheckCountsAsync();
        Assert.True((await world.States.GetAsync(default)).Idle);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_record_of_which_several_values_can_never_be_written_is_set_aside_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "never.example", "never-too.example");
        await RefuseAsync(world, provider, "never.example");
        await RefuseAsync(world, provider, "never-too.example");

        await world.LinesAsync(LogKind.Dns, world.Dns("never.example").Replace("\"rrsets\":[]", "\"rrsets\":[{\"name\":\"never-too.example\",\"rdata\":[]}]", StringComparison.Ordinal));
        await world.SettleAsync();

        Assert.Empty(await world.HitsAsync());
        await AsideAsync(world, 1);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task How_long_an_alert_took_is_measured_of_written_hits_only(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        world.ForwardWindow = new SearchWindow(20_000, 10_000);
        world.Rebuild();
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example", "never.example");
        await RefuseAsync(world, provider, "never.example");
        // It happened long before it arrived.
        string old = world.Dns("bad.example");
        world.Clock.Advance(TimeSpan.FromMinutes(10));
        await world.LinesAsync(LogKind.Dns, world.Dns("never.example"), world.Dns("bad.example"), world.Dns("never.example"), old, world.Dns("never.example"));
        world.Clock.Advance(TimeSpan.FromSeconds(3));
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument == Meters.AlertDelay) { l.EnableMeasurementEvents(instrument); } } };
        // Called where it is measured: what other tests measure meanwhile stays theirs.
        listener.SetMeasurementEventCallback<double>((_, seconds, _, _) => _measured.Value?.Add(seconds));
        listener.Start();
        _measured.Value = [];

        await world.SettleAsync();

        Assert.Equal(2, (await world.HitsAsync()).Count);
        Assert.Equal([3.0, 3.0], _measured.Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_failure_that_is_not_the_records_sets_nothing_aside(StorageProvider provider)
    {
        var faults = new FailingDatabase();
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, wrap: faults.Wrap);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.DnsAsync("bad.example");
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);

        faults.FailNextCommit();
        await Assert.ThrowsAsync<FailingDatabase.Failure>(() => world.ForwardAsync(dns));
        Assert.Equal(0, (await world.States.GetAsync(default)).SetAside);
        await world.SettleAsync();
        Assert.Single(await world.HitsAsync());
    }

    /// <summary>So many records are set aside, each with a reason, and the state says so.</summary>
    internal static async Task AsideAsync(SearchWorld world, int count)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        List<SetAsideRow> rows = await db.SetAside.ToListAsync();
        Assert.Equal(count, rows.Count);
        Assert.All(rows, r => Assert.InRange(r.Reason.Length, 1, 500));
        SearchState state = await world.States.GetAsync(default);
        Assert.Equal(count, state.SetAside);
        Assert.Equal(rows.Select(r => (r.Reason, r.At)).Order(), state.SetAsideNewest.Select(r => (r.Reason, r.At.UtcDateTime)).Order());
    }

    /// <summary>The database itself refuses hits of a value, whoever writes them.</summary>
    private static async Task RefuseAsync(SearchWorld world, StorageProvider provider, string value)
    {
        string name = "refuse_" + value.Replace('.', '_').Replace('-', '_');
        await using ThreatFeedsContext db = world.Contexts.Create();
        string sql = provider == StorageProvider.Sqlite
            ? $"CREATE TRIGGER {name} BEFORE INSERT ON hits WHEN NEW.\"Value\" = '{value}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            : $"ALTER TABLE hits ADD CONSTRAINT {name} CHECK (\"Value\" <> '{value}')";
#pragma warning disable EF1002 // Nothing of it comes from outside.
        await db.Database.ExecuteSqlRawAsync(sql);
#pragma warning restore EF1002
    }

    private static string Line(string field, string escaped)
    {
        var values = new Dictionary<string, string>
        {
            ["client_ip"] = "10.0.0.7",
            ["client_name"] = "web-1",
            ["client_name_aggr"] = "web-*",
            ["client_namespace"] = "shop",
            ["qname"] = "bad.example",
            ["rcode"] = "NoError",
            ["qtype"] = "A",
            ["host"] = "node-1",
        };
        values[field] = field == "qname" && !escaped.EndsWith(".example", StringComparison.Ordinal) ? escaped + ".bad.example" : escaped;
        string fields = string.Join(',', values.Where(v => v.Key != "client_labels").Select(v => $"\"{v.Key}\":\"{v.Value}\""));
        string labels = field == "client_labels" ? $",\"client_labels\":{{\"{escaped}\":\"{escaped}\"}}" : "";
        return $$"""{"start_time":1772352000,"end_time":1772352300,"type":"LOG","count":1,"qclass":"IN","rrsets":[],{{fields}}{{labels}}}""";
    }
}
