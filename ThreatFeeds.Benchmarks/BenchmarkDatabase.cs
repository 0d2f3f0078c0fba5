using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks;

/// <summary>An empty database of a benchmark, migrated; gone when disposed.</summary>
internal sealed class BenchmarkDatabase : IContextFactory, IDisposable
{
    private readonly DatabaseProvider _provider;
    private readonly string _connectionString;
    private readonly Action _drop;

    private BenchmarkDatabase(DatabaseProvider provider, string connectionString, Action drop)
    {
        _provider = provider;
        _connectionString = connectionString;
        _drop = drop;
    }

    /// <summary>A PostgreSQL server to make databases on; null when none is named.</summary>
    public static string? Server => Environment.GetEnvironmentVariable("THREATFEEDS_TEST_POSTGRES") is { Length: > 0 } server ? server : null;

    /// <summary>SQLite, and PostgreSQL where a server is named.</summary>
    public static IReadOnlyList<DatabaseProvider> Providers => Server is null ? [DatabaseProvider.Sqlite] : [DatabaseProvider.Sqlite, DatabaseProvider.Postgres];

    public static async Task<BenchmarkDatabase> MakeAsync(DatabaseProvider provider)
    {
        BenchmarkDatabase made = provider == DatabaseProvider.Postgres ? OnPostgres(Server!) : OnSqlite();
        await made.MigrateAsync(default);
        return made;
    }

    public ThreatFeedsContext Create()
    {
        if (_provider == DatabaseProvider.Postgres)
        {
            var postgres = new DbContextOptionsBuilder<PostgresContext>();
            ContextOptions.Postgres(postgres, _connectionString);
            return new PostgresContext(postgres.Options);
        }
        var sqlite = new DbContextOptionsBuilder<SqliteContext>();
        ContextOptions.Sqlite(sqlite, _connectionString);
        return new SqliteContext(sqlite.Options);
    }

    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = Create();
        await db.Database.MigrateAsync(cancellationToken);
    }

    public void Dispose() => _drop();

    private static BenchmarkDatabase OnSqlite()
    {
        string folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
        return new BenchmarkDatabase(DatabaseProvider.Sqlite, $"Data Source={Path.Combine(folder, "benchmark.db")}", () =>
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        });
    }

    private static BenchmarkDatabase OnPostgres(string server)
    {
        string name = $"threatfeeds_{Guid.NewGuid():N}";
        Run(server, $"CREATE DATABASE {name}");
        string own = new NpgsqlConnectionStringBuilder(server) { Database = name, CommandTimeout = 600 }.ConnectionString;
        return new BenchmarkDatabase(DatabaseProvider.Postgres, own, () =>
        {
            using (var pooled = new NpgsqlConnection(own))
            {
                NpgsqlConnection.ClearPool(pooled);
            }
            Run(server, $"DROP DATABASE {name} WITH (FORCE)");
        });
    }

    private static void Run(string server, string sql)
    {
        using var connection = new NpgsqlConnection(server);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
