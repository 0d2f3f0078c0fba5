using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks;

/// <summary>An empty database of a benchmark, migrated; gone when disposed.</summary>
internal sealed class BenchmarkDatabase : IContextFactory, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
    /// <summary>Of PostgreSQL.</summary>
    private readonly string _name = $"threatfeeds_{Guid.NewGuid():N}";
    private readonly ServiceProvider _services;
    private readonly IContextFactory _contexts;
    private readonly bool _onServer;

    private BenchmarkDatabase(DatabaseProvider provider)
    {
        _onServer = provider == DatabaseProvider.Postgres;
        if (_onServer)
        {
            Run($"CREATE DATABASE {_name}");
        }
        var options = new StorageOptions { Provider = provider, ConnectionString = _onServer ? Own() : null };
        _services = new ServiceCollection().AddLogging().AddStorage(options, _folder).BuildServiceProvider();
        _contexts = _services.GetRequiredService<IContextFactory>();
    }

    /// <summary>A PostgreSQL server to make databases on; null when none is named.</summary>
    public static string? Server => Environment.GetEnvironmentVariable("THREATFEEDS_TEST_POSTGRES") is { Length: > 0 } server ? server : null;

    /// <summary>SQLite, and PostgreSQL where a server is named.</summary>
    public static IReadOnlyList<DatabaseProvider> Providers => Server is null ? [DatabaseProvider.Sqlite] : [DatabaseProvider.Sqlite, DatabaseProvider.Postgres];

    public static async Task<BenchmarkDatabase> MakeAsync(DatabaseProvider provider)
    {
        var made = new BenchmarkDatabase(provider);
        await made.MigrateAsync(default);
        return made;
    }

    public ThreatFeedsContext Create() => _contexts.Create();

    public Task MigrateAsync(CancellationToken cancellationToken) => _contexts.MigrateAsync(cancellationToken);

    public void Dispose()
    {
        _services.Dispose();
        if (_onServer)
        {
            using (var pooled = new NpgsqlConnection(Own()))
            {
                NpgsqlConnection.ClearPool(pooled);
            }
            Run($"DROP DATABASE {_name} WITH (FORCE)");
        }
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private string Own() => new NpgsqlConnectionStringBuilder(Server) { Database = _name, CommandTimeout = 600 }.ConnectionString;

    private static void Run(string sql)
    {
        using var connection = new NpgsqlConnection(Server);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
