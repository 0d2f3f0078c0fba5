using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>A test's database with an interceptor of the test's before those of the program.</summary>
internal static class InterceptedDatabase
{
    public static IContextFactory Of(TestDatabase database, IInterceptor interceptor)
    {
        if (database.Provider == StorageProvider.Postgres)
        {
            DbContextOptionsBuilder<PostgresContext> postgres = new DbContextOptionsBuilder<PostgresContext>().AddInterceptors(interceptor);
            ContextOptions.Postgres(postgres, database.ConnectionString);
            return new Contexts(database.Factory, () => new PostgresContext(postgres.Options));
        }
        return OfSqlite(database.Factory, database.ConnectionString, interceptor);
    }

    /// <summary>The same of an SQLite database that is there already.</summary>
    public static IContextFactory OfSqlite(IContextFactory contexts, string connectionString, IInterceptor interceptor)
    {
        DbContextOptionsBuilder<SqliteContext> sqlite = new DbContextOptionsBuilder<SqliteContext>().AddInterceptors(interceptor);
        ContextOptions.Sqlite(sqlite, connectionString);
        return new Contexts(contexts, () => new SqliteContext(sqlite.Options));
    }

    private sealed class Contexts(IContextFactory inner, Func<ThreatFeedsContext> make) : IContextFactory
    {
        public ThreatFeedsContext Create() => make();

        public Task MigrateAsync(CancellationToken cancellationToken) => inner.MigrateAsync(cancellationToken);
    }
}

/// <summary>Something that happens once, just before a table is read.</summary>
internal sealed class BeforeReading(string table) : DbCommandInterceptor
{
    public Func<Task>? Happens { get; set; }

    public IContextFactory Wrap(TestDatabase database) => InterceptedDatabase.Of(database, this);

    public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        if (Happens is { } happens && (command.CommandText.Contains($"FROM {table} ", StringComparison.Ordinal) || command.CommandText.Contains($"FROM \"{table}\" ", StringComparison.Ordinal)))
        {
            Happens = null;
            await happens();
        }
        return result;
    }
}
