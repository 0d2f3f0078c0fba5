using System.Reflection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using ThreatFeeds.Storage;
using Xunit;
using Xunit.Sdk;

namespace ThreatFeeds.Tests.Support;

/// <summary>The databases that everything stored must work on.</summary>
public enum StorageProvider
{
    Sqlite,
    Postgres,
}

/// <summary>Beside <c>[Theory]</c>: the test runs on SQLite; its only parameter is the <see cref="StorageProvider"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnSqliteAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[StorageProvider.Sqlite]];
}

/// <summary>Beside <c>[Theory]</c>: the test runs on PostgreSQL; skipped where there is none, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnPostgresAttribute : DataAttribute
{
    public OnPostgresAttribute() => Skip = TestDatabase.PostgresServer is null && Environment.GetEnvironmentVariable("CI") != "true"
        ? "THREATFEEDS_TEST_POSTGRES names no server; test.sh starts one." : null;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[StorageProvider.Postgres]];
}

/// <summary>Needs PostgreSQL; skipped where there is none, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = TestDatabase.PostgresServer is null && Environment.GetEnvironmentVariable("CI") != "true"
        ? "THREATFEEDS_TEST_POSTGRES names no server; test.sh starts one." : null;
}

/// <summary>A fresh, migrated database of the test's own, gone at its end.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly Func<Task> _remove;

    private TestDatabase(StorageProvider provider, string connectionString, Func<Task> remove)
    {
        Provider = provider;
        ConnectionString = connectionString;
        _remove = remove;
        _services = new ServiceCollection().AddStorage(new StorageOptions { Provider = Enum.Parse<DatabaseProvider>(provider.ToString()), ConnectionString = connectionString }, "").BuildServiceProvider();
        Factory = _services.GetRequiredService<IContextFactory>();
    }

    /// <summary>Connection string of a server where databases may be made; null when there is none.</summary>
    public static string? PostgresServer => Environment.GetEnvironmentVariable("THREATFEEDS_TEST_POSTGRES") is { Length: > 0 } server ? server : null;

    public StorageProvider Provider { get; }

    public string ConnectionString { get; }

    public IContextFactory Factory { get; }

    public static async Task<TestDatabase> CreateAsync(StorageProvider provider)
    {
        TestDatabase database = provider == StorageProvider.Sqlite ? OnSqlite() : await OnPostgresAsync();
        await database.Factory.MigrateAsync(CancellationToken.None);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _remove();
    }

    private static TestDatabase OnSqlite()
    {
        var folder = new TemporaryFolder();
        string connection = $"Data Source={Path.Combine(folder.Path, "threatfeeds.db")}";
        return new TestDatabase(StorageProvider.Sqlite, connection, () =>
        {
            using (var pooled = new SqliteConnection(connection))
            {
                SqliteConnection.ClearPool(pooled);
            }
            folder.Dispose();
            return Task.CompletedTask;
        });
    }

    private static async Task<TestDatabase> OnPostgresAsync()
    {
        string server = PostgresServer ?? throw new InvalidOperationException("THREATFEEDS_TEST_POSTGRES names no PostgreSQL; test.sh starts one.");
        string name = $"threatfeeds_{Guid.NewGuid():N}";
        await RunAsync(server, $"CREATE DATABASE {name}");
        string connection = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
        return new TestDatabase(StorageProvider.Postgres, connection, async () =>
        {
            await using (var pooled = new NpgsqlConnection(connection))
            {
                NpgsqlConnection.ClearPool(pooled);
            }
            await RunAsync(server, $"DROP DATABASE {name} WITH (FORCE)");
        });
    }

    private static async Task RunAsync(string server, string statement)
    {
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
