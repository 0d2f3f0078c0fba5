using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>
/// The first page of a million alerts by every filter and order, beside the rows of a page by the primary key alone. On PostgreSQL, too, where
/// THREATFEEDS_TEST_POSTGRES names a server. In this process, so that the alerts are made once.
/// </summary>
[Config(typeof(InThisProcess))]
public class AlertListBenchmarks
{
    private static readonly Dictionary<string, AlertFilter> Filters = new()
    {
        ["all"] = new(),
        ["kind"] = new(Kind: "flow"),
        ["state"] = new(State: "open"),
        ["state, rare"] = new(State: "dismissed"),
        ["severity"] = new(Severity: "high"),
        ["feed"] = new(Feed: "feed-3"),
        ["feed, rare"] = new(Feed: "rare"),
        ["feed without hits"] = new(Feed: "none"),
        ["indicator"] = new(Indicator: "n7919.bad.example"),
        ["cluster"] = new(Cluster: "cluster"),
        ["namespace"] = new(Namespace: "ns-3"),
        ["workload"] = new(Workload: "web-17"),
        ["workload, rare"] = new(Workload: "rare"),
        ["since"] = new(Since: MillionAlerts.Middle),
        ["until"] = new(Until: MillionAlerts.Middle),
        ["until, early"] = new(Until: MillionAlerts.Early),
    };

    private IContextFactory _contexts = null!;
    private AlertQueries _queries = null!;

    public static IEnumerable<DatabaseProvider> Providers => BenchmarkDatabase.Providers;

    public static IEnumerable<string> FilterNames => Filters.Keys;

    [ParamsSource(nameof(Providers))]
    public DatabaseProvider Provider { get; set; }

    [ParamsSource(nameof(FilterNames))]
    public string Filter { get; set; } = "all";

    [Params("-lastSeen", "-firstSeen", "-severity", "-count")]
    public string Sort { get; set; } = "-lastSeen";

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _contexts = await MillionAlerts.OnAsync(Provider);
        _queries = new AlertQueries(_contexts, null!);
    }

    [Benchmark]
    public async Task<int> PageAsync() => (await _queries.ListAsync(Filters[Filter] with { Sort = Sort }, default)).Items.Count;

    [Benchmark(Baseline = true)]
    public async Task<int> RowsByPrimaryKeyAsync()
    {
        await using ThreatFeedsContext db = _contexts.Create();
        return (await db.Alerts.AsNoTracking().OrderByDescending(a => a.Id).Take(101).ToListAsync()).Count;
    }
}

/// <summary>The open alerts of a million counted by severity, as the console shows them.</summary>
[Config(typeof(InThisProcess))]
public class AlertCountBenchmarks
{
    private AlertQueries _queries = null!;

    public static IEnumerable<DatabaseProvider> Providers => AlertListBenchmarks.Providers;

    [ParamsSource(nameof(Providers))]
    public DatabaseProvider Provider { get; set; }

    [GlobalSetup]
    public async Task SetupAsync() => _queries = new AlertQueries(await MillionAlerts.OnAsync(Provider), null!);

    [Benchmark]
    public async Task<int> CountAsync() => (await _queries.OpenBySeverityAsync(default)).Count;
}

/// <summary>Few and single calls, each measured by itself.</summary>
internal sealed class InThisProcess : ManualConfig
{
    /// <summary>For the first case, which makes the alerts.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    public InThisProcess() => AddJob(Job.Default.WithStrategy(RunStrategy.Monitoring).WithWarmupCount(3).WithIterationCount(15).WithInvocationCount(1).WithUnrollFactor(1).WithToolchain(new InProcessNoEmitToolchain(Patience, logOutput: true)))
        .AddColumn(StatisticColumn.Median);
}
