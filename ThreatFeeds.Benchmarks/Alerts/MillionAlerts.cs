using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
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

    /// <summary>A PostgreSQL server to make a database on; null when none is named.</summary>
    public static string? Server => Environment.GetEnvironmentVariable("THREATFEEDS_TEST_POSTGRES") is { Length: > 0 } server ? server : null;

    public static Task<IContextFactory> OnAsync(DatabaseProvider provider)
    {
        if (!Made.TryGetValue(provider, out Task<IContextFactory>? made))
        {
            Made[provider] = made = provider == DatabaseProvider.Postgres ? OnPostgresAsync(Server!) : OnSqliteAsync();
        }
        return made;
    }

    private static async Task<IContextFactory> OnSqliteAsync()
    {
        string folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        };
        var contexts = new BenchmarkContexts($"Data Source={Path.Combine(folder, "alerts.db")}");
        await FillAsync(contexts, "PRAGMA cache_size=-2000000; PRAGMA synchronous=OFF", "'2026-03-01 08:00:00'", "PRAGMA wal_checkpoint(TRUNCATE)");
        return contexts;
    }

    private static async Task<IContextFactory> OnPostgresAsync(string server)
    {
        string name = $"threatfeeds_{Guid.NewGuid():N}";
        Run(server, $"CREATE DATABASE {name}");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Run(server, $"DROP DATABASE {name} WITH (FORCE)");
        var contexts = new PostgresContexts(new NpgsqlConnectionStringBuilder(server) { Database = name, CommandTimeout = 600 }.ConnectionString);
        await FillAsync(contexts, "SELECT 1", "timestamptz '2026-03-01 08:00:00+00'", "VACUUM ANALYZE");
        return contexts;
    }

    private static void Run(string server, string sql)
    {
        using var connection = new NpgsqlConnection(server);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    /// <summary>Seven in ten are DNS, nine in ten open; most last less than an hour, one in a hundred up to a month.</summary>
    /// <param name="before">What is set for the connection that fills; it is closed afterwards.</param>
    private static async Task FillAsync(IContextFactory contexts, string before, string opened, string after)
    {
        await using ThreatFeedsContext db = contexts.Create();
        db.Database.SetCommandTimeout(3600);
        await db.Database.MigrateAsync();
        await db.Database.OpenConnectionAsync();
        await db.Database.ExecuteSqlRawAsync(before);
        await db.Database.ExecuteSqlRawAsync($$"""
            INSERT INTO alerts ("Id", "Cluster", "Kind", "Indicator", "Namespace", "Workload", "Direction", "Action", "Start", "FirstSeen", "LastSeen", "Count", "Severity", "Aggregated", "Labels", "Node", "WorkloadIp", "State", "Note", "OpenedAt")
            SELECT i, 'cluster', CASE WHEN i % 10 < 7 THEN 'dns' ELSE 'flow' END, 'n' || (i * 7919 % 100003) || '.bad.example', 'ns-' || (i * 31 % 53),
                CASE WHEN i % 250007 = 7 THEN 'rare' ELSE 'web-' || (i * 17 % 2003) END, 'outbound', CASE WHEN i % 10 < 7 THEN '' ELSE 'allow' END,
                f, f, f + CASE WHEN i % 100 = 3 THEN (i * 613 % 2592000) * 1000 ELSE (i * 211 % 3600) * 1000 END, 1 + (i * 104729 % 997) * (i % 7), 1 + i * 13 % 4, FALSE, '{{"{{}}"}}', 'node-1', '10.0.0.7',
                CASE WHEN i % 50000 = 1 THEN 'dismissed' WHEN i % 50 < 5 THEN 'acknowledged' ELSE 'open' END, '', {{opened}}
            FROM (SELECT i, 1772352000000 + (i * 7879 % 7862400) * 1000 AS f FROM {{Numbers}}) t
            """);
        await db.Database.ExecuteSqlRawAsync($"""INSERT INTO alert_feeds ("AlertId", "Feed") SELECT i, CASE WHEN i % 100003 = 9 THEN 'rare' ELSE 'feed-' || (i % 20) END FROM {Numbers}""");
        await db.Database.ExecuteSqlRawAsync(after);
        await db.Database.CloseConnectionAsync();
        SqliteConnection.ClearAllPools();
    }

    private sealed class PostgresContexts(string connectionString) : IContextFactory
    {
        public ThreatFeedsContext Create()
        {
            var builder = new DbContextOptionsBuilder<PostgresContext>();
            ContextOptions.Postgres(builder, connectionString);
            return new PostgresContext(builder.Options);
        }

        public Task MigrateAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
