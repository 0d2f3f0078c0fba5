using System.Data.Common;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using ThreatFeeds.Alerts;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>The list of alerts where there are many: what a page costs, told by the databases' own plans, and that it holds what it should.</summary>
public sealed class AlertPageTests
{
    private const int Alerts = 30_000;

    /// <summary>Rows that a page may cost: each filter is tried, and then less than that is read.</summary>
    private const int MostRead = 3 * AlertPages.Few;

    private const long Begin = 1_772_352_000_000;
    private const long Hour = 3_600_000;

    private static readonly string[] Sorts = ["-lastSeen", "lastSeen", "-firstSeen", "firstSeen", "-severity", "severity", "-count", "count"];

    /// <summary>Common values, rare ones, and some that no alert has.</summary>
    private static readonly AlertFilter[] Filters =
    [
        new(), new(Kind: "dns"), new(Kind: "flow"), new(State: "open"), new(State: "dismissed"), new(State: "acknowledged,dismissed"), new(Severity: "high"), new(Severity: "critical"), new(Severity: "low,critical,critical"),
        new(Feed: "everyone"), new(Feed: "few"), new(Feed: "none"), new(Feed: "everyone,few"), new(Indicator: "n7.example"), new(Indicator: "none.example"), new(Cluster: "cluster"), new(Cluster: "none"),
        new(Namespace: "ns-1"), new(Namespace: "none"), new(Workload: "web-3"), new(Workload: "rare"), new(Workload: "none"),
        new(Since: At(Begin + 10 * Hour)), new(Since: At(Begin + 1_000 * Hour)), new(Since: At(Begin + 9_000 * Hour)),
        new(Until: At(Begin - Hour)), new(Until: At(Begin + 3 * Hour)), new(Until: At(Begin + 500 * Hour)), new(Until: At(Begin + 9_000 * Hour)),
        new(State: "open", Severity: "high", Namespace: "ns-1"), new(Kind: "dns", Feed: "few", Until: At(Begin + 500 * Hour)), new(State: "open", Until: At(Begin + 500 * Hour)),
    ];

    [Theory, OnSqlite, OnPostgres]
    public async Task No_filter_and_no_order_reads_or_sorts_all_alerts(StorageProvider provider)
    {
        await using TestDatabase database = await FilledAsync(provider);
        var dear = new List<string>();
        var plans = new Plans(provider, dear);
        var queries = new AlertQueries(InterceptedDatabase.Of(database, plans), null!);
        foreach (AlertFilter filter in Filters.SelectMany(f => Sorts.Select(s => f with { Sort = s })))
        {
            plans.Of = string.Join(' ', typeof(AlertFilter).GetProperties().Select(p => (p.Name, Value: p.GetValue(filter))).Where(p => p.Value is not null).Select(p => $"{p.Name}={p.Value}"));
            await queries.ListAsync(filter, default);
        }
        plans.Of = "counts";
        await queries.OpenBySeverityAsync(default);
        Assert.True(plans.Read > Filters.Length * Sorts.Length, "the plans were not read");
        Assert.True(dear.Count == 0, $"{dear.Count} dear plans, such as\n{string.Join('\n', dear.Take(20))}");
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Pages_of_every_filter_and_order_hold_what_passes_once_and_in_order(StorageProvider provider)
    {
        await using TestDatabase database = await FilledAsync(provider);
        await using ThreatFeedsContext db = database.Factory.Create();
        List<AlertRow> all = await db.Alerts.AsNoTracking().ToListAsync();
        ILookup<long, string> feeds = (await db.AlertFeeds.AsNoTracking().ToListAsync()).ToLookup(f => f.AlertId, f => f.Feed);
        var queries = new AlertQueries(database.Factory, null!);
        foreach (AlertFilter filter in Filters.SelectMany(f => Sorts.Select(s => f with { Sort = s, Limit = 500 })))
        {
            long[] right = [.. InOrder(all.Where(a => Passes(a, feeds[a.Id], filter)), filter.Sort!).Take(1_200).Select(a => a.Id)];
            var got = new List<long>();
            string? after = null;
            for (int page = 0; page < 3; page++)
            {
                Page<AlertView> some = await queries.ListAsync(filter with { After = after, Limit = page == 2 ? 200 : 500 }, default);
                got.AddRange(some.Items.Select(i => long.Parse(i.Id, CultureInfo.InvariantCulture)));
                if ((after = some.Next) is null)
                {
                    break;
                }
            }
            Assert.True(right.SequenceEqual(got), $"{filter}: {got.Count} of {right.Length}, wrong from {right.Zip(got).TakeWhile(p => p.First == p.Second).Count()} on");
        }
    }

    private static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static bool Passes(AlertRow a, IEnumerable<string> feeds, AlertFilter filter) =>
        Has(filter.Kind, Word.Of(a.Kind)) && Has(filter.State, Word.Of(a.State)) && Has(filter.Severity, Word.Of(a.Severity)) && Has(filter.Indicator, a.Indicator) && Has(filter.Cluster, a.Cluster)
        && Has(filter.Namespace, a.Namespace) && Has(filter.Workload, a.Workload) && (filter.Feed is null || feeds.Any(f => Has(filter.Feed, f)))
        && (filter.Since is not { } since || a.LastSeen >= since.ToUnixTimeMilliseconds()) && (filter.Until is not { } until || a.FirstSeen <= until.ToUnixTimeMilliseconds());

    private static bool Has(string? wanted, string value) => wanted is null || wanted.Split(',').Contains(value);

    private static IEnumerable<AlertRow> InOrder(IEnumerable<AlertRow> alerts, string sort)
    {
        (long, long, long) Key(AlertRow a) => sort.TrimStart('-') switch
        {
            "firstSeen" => (a.FirstSeen, 0, a.Id),
            "severity" => ((long)a.Severity, a.LastSeen, a.Id),
            "count" => (a.Count, 0, a.Id),
            _ => (a.LastSeen, 0, a.Id),
        };
        return sort.StartsWith('-') ? alerts.OrderByDescending(Key) : alerts.OrderBy(Key);
    }

    /// <summary>A thousand hours of alerts: most are short, each hundredth goes on for up to a month.</summary>
    private static async Task<TestDatabase> FilledAsync(StorageProvider provider)
    {
        string[] columns = ["Id", "Cluster", "Kind", "Indicator", "Namespace", "Workload", "Direction", "Action", "Start", "FirstSeen", "LastSeen", "Count", "Severity", "Aggregated", "Labels", "State", "Note", "OpenedAt"];
        TestDatabase database = await TestDatabase.CreateAsync(provider);
        await using ThreatFeedsContext db = database.Factory.Create();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            await db.InsertManyAsync("alerts", columns, [.. Enumerable.Range(1, Alerts).Select(Row)], "", default);
            await db.InsertManyAsync("alert_feeds", ["AlertId", "Feed"], [.. Enumerable.Range(1, Alerts).Select(i => new object[] { (long)i, i % 6_007 == 5 ? "few" : i % 3 == 0 ? "other" : "everyone" })], "", default);
            await transaction.CommitAsync();
        }
        if (provider == StorageProvider.Postgres)
        {
            await db.Database.ExecuteSqlAsync($"VACUUM ANALYZE alerts, alert_feeds");
        }
        return database;
    }

    private static object[] Row(int i)
    {
        long first = Begin + i * 7_879L % 1_000 * Hour + i;
        long lasts = i % 100 == 3 ? i * 613L % 720 * Hour : i * 211L % 3_600 * 1_000;
        return [(long)i, "cluster", i % 10 < 7 ? "dns" : "flow", $"n{i * 7_919L % 5_003}.example", $"ns-{i % 5}", i % 10_007 == 7 ? "rare" : $"web-{i * 17 % 6}", "outbound", "", first, first, first + lasts,
            1 + i * 104_729L % 97, i % 4_001 == 0 ? 4 : 1 + i / 7 % 3, false, "{}", i % 5_003 == 1 ? "dismissed" : i % 4 == 0 ? "acknowledged" : "open", "", new DateTime(2026, 3, 1, 8, 0, 0, DateTimeKind.Utc)];
    }

    /// <summary>Asks how each reading of alerts is done, just before it is.</summary>
    private sealed class Plans(StorageProvider provider, List<string> dear) : DbCommandInterceptor
    {
        public string Of { get; set; } = "";

        public int Read { get; private set; }

        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            string asked = command.CommandText;
            if (asked.Contains("alerts", StringComparison.Ordinal) || asked.Contains("alert_feeds", StringComparison.Ordinal))
            {
                Read++;
                if (provider == StorageProvider.Postgres)
                {
                    // So few alerts are read as cheaply page by page, and a hundred times as many are not.
                    command.CommandText = "SET enable_seqscan = off; SET enable_bitmapscan = off";
                    await command.ExecuteNonQueryAsync(cancellationToken);
                }
                command.CommandText = (provider == StorageProvider.Sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ") + asked;
                var steps = new List<string>();
                await using (DbDataReader plan = await command.ExecuteReaderAsync(cancellationToken))
                {
                    while (await plan.ReadAsync(cancellationToken))
                    {
                        steps.Add(plan.GetString(provider == StorageProvider.Sqlite ? 3 : 0));
                    }
                }
                command.CommandText = asked;
                dear.AddRange((provider == StorageProvider.Sqlite ? OnSqlite(steps, asked) : OnPostgres(JsonNode.Parse(string.Concat(steps))![0]!["Plan"]!)).Select(d => $"{Of}: {d}"));
            }
            return result;
        }

        /// <summary>No table is read but by an index, and only what is few or of a day is sorted.</summary>
        private IEnumerable<string> OnSqlite(List<string> steps, string asked) => steps.Where(s =>
            (s.StartsWith("SCAN", StringComparison.Ordinal) && !s.Contains("USING", StringComparison.Ordinal) && !s.Contains(" k ", StringComparison.Ordinal))
            || (s.Contains("TEMP B-TREE", StringComparison.Ordinal) && !asked.Contains("json_each", StringComparison.Ordinal) && !asked.Contains("IX_alerts_FirstSeen_Id", StringComparison.Ordinal)
                && !asked.Contains("DISTINCT", StringComparison.Ordinal) && Of != "counts"));

        /// <summary>What was really read, whatever the way.</summary>
        private IEnumerable<string> OnPostgres(JsonNode node)
        {
            double rows = Scanned(node);
            if (rows > (Of == "counts" ? Alerts : MostRead))
            {
                yield return $"{rows} rows read by {node.ToJsonString()}";
            }
        }

        private static double Scanned(JsonNode node) =>
            (node["Node Type"]!.GetValue<string>().Contains("Scan", StringComparison.Ordinal)
                ? (node["Actual Rows"]!.GetValue<double>() + (node["Rows Removed by Filter"]?.GetValue<double>() ?? 0)) * node["Actual Loops"]!.GetValue<double>() : 0)
            + (node["Plans"]?.AsArray().Sum(p => Scanned(p!)) ?? 0);
    }
}
