using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Both histories of migrations carry the whole model.</summary>
public sealed class MigrationTests
{
    [Fact]
    public void The_Sqlite_history_carries_every_change_of_the_model()
    {
        var options = new DbContextOptionsBuilder<SqliteContext>();
        ContextOptions.Sqlite(options, "Data Source=:memory:");
        using var context = new SqliteContext(options.Options);
        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public void The_Postgres_history_carries_every_change_of_the_model()
    {
        var options = new DbContextOptionsBuilder<PostgresContext>();
        ContextOptions.Postgres(options, "Host=localhost;Database=none");
        using var context = new PostgresContext(options.Options);
        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_fresh_database_takes_and_gives_back_a_row(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await using (ThreatFeedsContext db = database.Factory.Create())
        {
            db.Counters.Add(new CounterRow { Name = "generation", Value = 7 });
            await db.SaveChangesAsync();
        }
        await using ThreatFeedsContext other = database.Factory.Create();
        Assert.Equal(7, (await other.Counters.SingleAsync()).Value);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Migrating_twice_changes_nothing(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await database.Factory.MigrateAsync(CancellationToken.None);
        await using ThreatFeedsContext db = database.Factory.Create();
        Assert.Empty(await db.Database.GetPendingMigrationsAsync());
    }
}
