using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>Something that happens once, just before the first statement that contains a text is carried out.</summary>
internal sealed class BeforeStatement(string text) : DbCommandInterceptor
{
    /// <summary>Null once it has happened.</summary>
    public Func<Task>? Happens { get; set; }

    public IContextFactory Wrap(TestDatabase database) => InterceptedDatabase.Of(database, this);

    public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        await HappenAsync(command);
        return result;
    }

    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        await HappenAsync(command);
        return result;
    }

    private async Task HappenAsync(DbCommand command)
    {
        if (Happens is { } happens && command.CommandText.Contains(text, StringComparison.Ordinal))
        {
            Happens = null;
            await happens();
        }
    }
}
