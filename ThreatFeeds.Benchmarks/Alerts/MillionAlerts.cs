using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>A database with a million alerts of ninety days, made once in a run and gone at its end.</summary>
internal static class MillionAlerts
{
    /// <summary>The middle of the times.</summary>
    public static readonly DateTimeOffset Middle = DateTimeOffset.FromUnixTimeMilliseconds(1_776_352_000_000);

    /// <summary>Ten alerts were first seen before it.</summary>
    public static readonly DateTimeOffset Early = DateTimeOffset.FromUnixTimeMilliseconds(1_772_352_100_000);

    private const string Numbers = "(WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n) n";

    private static readonly Dictionary<DatabaseProvider, Task<IContextFactory>> Made = [];

    public static Task<IContextFactory> OnAsync(DatabaseProvider provider)
    {
        if (!Made.TryGetValue(provider, out Task<IContextFactory>? made))
        {
            Made[provider] = made = MakeAsync(provider);
        }
        return made;
    }

    private static async Task<IContextFactory> MakeAsync(DatabaseProvider provider)
    {
        BenchmarkDatabase database = await BenchmarkDatabase.MakeAsync(provider);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => database.Dispose();
        await (provider == DatabaseProvider.Postgres
            ? FillAsync(database, "SELECT indexname AS \"N\", indexdef AS \"S\" FROM pg_indexes WHERE tablename = 'alerts' AND indexname LIKE 'IX%'", "timestamptz '2026-03-01 08:00:00+00'", "VACUUM ANALYZE")
            : FillAsync(database, "SELECT name AS \"N\", sql AS \"S\" FROM sqlite_master WHERE type = 'index' AND tbl_name = 'alerts' AND sql IS NOT NULL", "'2026-03-01 08:00:00'", "PRAGMA wal_checkpoint(TRUNCATE)"));
        return database;
    }

    /// <summary>Seven in ten are DNS, nine in ten open; most last less than an hour, one in a hundred up to a month.</summary>
    /// <param name="indexes">Asks for the names and the makings of the indexes: made when the rows are there, they are made many times as fast.</param>
    private static async Task FillAsync(BenchmarkDatabase contexts, string indexes, string opened, string after)
    {
#pragma warning disable EF1002 // All of it is of ours.
        await using ThreatFeedsContext db = contexts.Create();
        db.Database.SetCommandTimeout(3600);
        List<Index> made = await db.Database.SqlQueryRaw<Index>(indexes).ToListAsync();
        foreach (Index index in made)
        {
            await db.Database.ExecuteSqlRawAsync($"DROP INDEX \"{index.N}\"");
        }
        await db.Database.ExecuteSqlRawAsync($$"""
            INSERT INTO alerts ("Id", "Cluster", "Kind", "Indicator", "Namespace", "Workload", "Direction", "Action", "Start", "FirstSeen", "LastSeen", "Count", "Severity", "Aggregated", "Labels", "Node", "WorkloadIp", "State", "Note", "OpenedAt")
            SELECT i, 'cluster', CASE WHEN i % 10 < 7 THEN 'dns' ELSE 'flow' END, 'n' || (i * 7919 % 100003) || '.bad.example', 'ns-' || (i * 31 % 53),
                CASE WHEN i % 250007 = 7 THEN 'rare' ELSE 'web-' || (i * 17 % 2003) END, 'outbound', CASE WHEN i % 10 < 7 THEN '' ELSE 'allow' END,
                f, f, f + CASE WHEN i % 100 = 3 THEN (i * 613 % 2592000) * 1000 ELSE (i * 211 % 3600) * 1000 END, 1 + (i * 104729 % 997) * (i % 7), 1 + i * 13 % 4, FALSE, '{{"{{}}"}}', 'node-1', '10.0.0.7',
                CASE WHEN i % 50000 = 1 THEN 'dismissed' WHEN i % 50 < 5 THEN 'acknowledged' ELSE 'open' END, '', {{opened}}
            FROM (SELECT i, 1772352000000 + (i * 7879 % 7862400) * 1000 AS f FROM {{Numbers}}) t
            """);
        await db.Database.ExecuteSqlRawAsync($"""INSERT INTO alert_feeds ("AlertId", "Feed") SELECT i, CASE WHEN i % 100003 = 9 THEN 'rare' ELSE 'feed-' || (i % 20) END FROM {Numbers}""");
        foreach (Index index in made)
        {
            await db.Database.ExecuteSqlRawAsync(index.S);
        }
        await db.Database.ExecuteSqlRawAsync(after);
#pragma warning restore EF1002
    }

    /// <param name="N">Its name.</param>
    /// <param name="S">The statement that makes it.</param>
    private sealed record Index(string N, string S);
}
