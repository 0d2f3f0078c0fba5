using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Storage;

/// <summary>Adds the database.</summary>
public static class StorageRegistration
{
    /// <summary>Registers <see cref="IContextFactory"/>.</summary>
    /// <param name="dataDirectory">Holds the file of SQLite when the options name no other.</param>
    public static IServiceCollection AddStorage(this IServiceCollection services, StorageOptions options, string dataDirectory)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Provider == DatabaseProvider.Postgres)
        {
            services.AddPooledDbContextFactory<PostgresContext>(b => ContextOptions.Postgres(b, options.ConnectionString ?? ""));
            services.AddSingleton<IContextFactory, ContextFactory<PostgresContext>>();
        }
        else
        {
            string file = options.ConnectionString ?? $"Data Source={Path.Combine(dataDirectory, "threatfeeds.db")}";
            services.AddPooledDbContextFactory<SqliteContext>(b => ContextOptions.Sqlite(b, file));
            services.AddSingleton<IContextFactory, ContextFactory<SqliteContext>>();
        }
        return services;
    }
}

/// <summary>Makes contexts; one per operation, disposed by the caller.</summary>
public interface IContextFactory
{
    ThreatFeedsContext Create();

    /// <summary>Brings the database to the newest migration; forward only. Whoever asks has an SQLite database for himself.</summary>
    Task MigrateAsync(CancellationToken cancellationToken);
}

internal sealed class ContextFactory<TContext>(IDbContextFactory<TContext> inner) : IContextFactory
    where TContext : ThreatFeedsContext
{
    public ThreatFeedsContext Create() => inner.CreateDbContext();

    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        using ThreatFeedsContext context = Create();
        if (context is SqliteContext)
        {
            // The row by which migrations keep each other out; one that a killed process left would be waited for without end. PostgreSQL's lock goes with the connection.
            await context.Database.ExecuteSqlAsync($"""DROP TABLE IF EXISTS "__EFMigrationsLock" """, cancellationToken);
        }
        await context.Database.MigrateAsync(cancellationToken);
    }
}

/// <summary>The providers' options, shared by the process, the design-time tool and the tests.</summary>
public static class ContextOptions
{
    public static void Sqlite(DbContextOptionsBuilder builder, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Shared(builder).UseSqlite(connectionString, o => o.CommandTimeout(60)).AddInterceptors(SqlitePragmas.Instance, new SqliteWriteQueue());
    }

    public static void Postgres(DbContextOptionsBuilder builder, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Shared(builder).UseNpgsql(connectionString).AddInterceptors(StorableParameters.Instance);
    }

    /// <summary>"Some, but not more than" is asked on purpose: any order would have all of them read.</summary>
    private static DbContextOptionsBuilder Shared(DbContextOptionsBuilder builder) => builder.ConfigureWarnings(w => w.Ignore(CoreEventId.RowLimitingOperationWithoutOrderByWarning));
}

/// <summary>WAL lets readers go on beside the writer; FULL makes an acknowledged change durable.</summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    public static readonly SqlitePragmas Instance = new();
    private const string Reading = "PRAGMA busy_timeout=30000; PRAGMA cache_size=-65536;";
    /// <summary>64 MiB of log before it goes into the file, where the default is 4: a page that is written again and again (one of an index, by each commit of a search) goes there once.</summary>
    private const string Writing = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384; " + Reading;

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using DbCommand command = ((SqliteConnection)connection).CreateCommand();
        command.CommandText = Pragmas(connection);
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using DbCommand command = ((SqliteConnection)connection).CreateCommand();
        command.CommandText = Pragmas(connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Whether the database is there is asked over a connection that only reads, and that cannot turn on WAL for one that was made without it.</summary>
    private static string Pragmas(DbConnection connection) =>
        new SqliteConnectionStringBuilder(connection.ConnectionString).Mode == SqliteOpenMode.ReadOnly ? Reading : Writing;
}

internal sealed class SqliteDesignTime : IDesignTimeDbContextFactory<SqliteContext>
{
    public SqliteContext CreateDbContext(string[] args)
    {
        var builder = new DbContextOptionsBuilder<SqliteContext>();
        ContextOptions.Sqlite(builder, "Data Source=design.db");
        return new SqliteContext(builder.Options);
    }
}

internal sealed class PostgresDesignTime : IDesignTimeDbContextFactory<PostgresContext>
{
    public PostgresContext CreateDbContext(string[] args)
    {
        var builder = new DbContextOptionsBuilder<PostgresContext>();
        ContextOptions.Postgres(builder, "Host=localhost;Database=design");
        return new PostgresContext(builder.Options);
    }
}
