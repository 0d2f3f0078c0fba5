using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>A hit storm on SQLite, synced at each commit: hits to alerts set-wise, beside the plain way of one tracked row a hit.</summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 5)]
[MemoryDiagnoser]
public class HitWritingBenchmarks
{
    private const int Hits = 20_000;
    /// <summary>As many as a search commits at once.</summary>
    private const int Window = 10_000;
    private static readonly LogSource Source = new("store-dns", "embedded/dns", LogKind.Dns);

    private string _folder = "";
    private BenchmarkContexts _contexts = null!;
    private List<FoundHit> _hits = [];
    private long _next;

    /// <summary>Workloads that share the hits: few alerts with many hits, or many with few.</summary>
    [Params(10, 2_000)]
    public int Workloads { get; set; }

    [IterationSetup]
    public void Setup()
    {
        _folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
        _contexts = new BenchmarkContexts($"Data Source={Path.Combine(_folder, "hits.db")}");
        using ThreatFeedsContext db = _contexts.Create();
        db.Database.Migrate();
        DateTimeOffset start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        byte[] line = new byte[600];
        Array.Fill(line, (byte)' ');
        _hits = [.. Enumerable.Range(0, Hits).Select(i =>
        {
            var client = new Endpoint("shop", $"web-{i % Workloads}", false, new Dictionary<string, string>(), "10.0.0.7", null, null);
            var details = new RecordDetails(start.AddMilliseconds(i), client, Endpoint.Unknown, FlowAction.None, true, null);
            return new FoundHit(Source, new Position(1, _next++), start.AddMilliseconds(i), HitField.QueryName, "everyone.example", "everyone.example", ["one"], details, line);
        })];
    }

    [IterationCleanup]
    public void Cleanup()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Hits)]
    public async Task SetWiseAsync()
    {
        var writer = new HitWriter(new AlertOptions(), TimeProvider.System);
        foreach (FoundHit[] window in _hits.Chunk(Window))
        {
            await using ThreatFeedsContext db = _contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync();
            await writer.WriteAsync(db, window, default);
            await transaction.CommitAsync();
        }
    }

    /// <summary>The peer writes the hit rows only: no alert, no count, no sample.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Hits)]
    public async Task OneTrackedRowEachAsync()
    {
        foreach (FoundHit[] window in _hits.Chunk(Window))
        {
            await using ThreatFeedsContext db = _contexts.Create();
            db.Hits.AddRange(window.Select(h => new HitRow
            {
                Id = h.Id(),
                AlertId = 1,
                Source = h.Source.Id,
                Segment = h.Position.Segment,
                Ordinal = h.Position.Ordinal,
                Time = h.Time.ToUnixTimeMilliseconds(),
                Field = h.Field,
                Value = h.Value,
                Indicator = h.Indicator,
                Feeds = "one",
            }));
            await db.SaveChangesAsync();
        }
    }
}
