using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks;

/// <summary>A SQLite database of a benchmark.</summary>
internal sealed class BenchmarkContexts(string connectionString) : IContextFactory
{
    public ThreatFeedsContext Create()
    {
        var builder = new DbContextOptionsBuilder<SqliteContext>();
        ContextOptions.Sqlite(builder, connectionString);
        return new SqliteContext(builder.Options);
    }

    public Task MigrateAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
