using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace ThreatFeeds.Storage;

/// <summary>
/// Lets one writer of this process at a time at an SQLite database, in the order they came. SQLite itself lets writers poll for its one lock, so that a
/// search which commits window after window keeps a pull out until that gives up. Only asynchronous calls queue; others meet SQLite's own lock.
/// </summary>
internal sealed class SqliteWriteQueue : IDbTransactionInterceptor, IDbCommandInterceptor, IDbConnectionInterceptor, IDisposable
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentDictionary<DbConnection, bool> _holders = new();

    public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
    {
        await TakeAsync(connection, cancellationToken);
        return result;
    }

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Give(eventData.Context?.Database.GetDbConnection());
        return Task.CompletedTask;
    }

    public Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Give(eventData.Context?.Database.GetDbConnection());
        return Task.CompletedTask;
    }

    public async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        await TakeToWriteAsync(command, cancellationToken);
        return result;
    }

    public async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        await TakeToWriteAsync(command, cancellationToken);
        return result;
    }

    public ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        GiveAfter(command);
        return ValueTask.FromResult(result);
    }

    public InterceptionResult DataReaderDisposing(DbCommand command, DataReaderDisposingEventData eventData, InterceptionResult result)
    {
        GiveAfter(command);
        return result;
    }

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        GiveAfter(command);
        return Task.CompletedTask;
    }

    public Task CommandCanceledAsync(DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default)
    {
        GiveAfter(command);
        return Task.CompletedTask;
    }

    /// <summary>The end of a transaction that was disposed of after a failure, with neither commit nor roll-back.</summary>
    public void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => Give(connection);

    public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        Give(connection);
        return Task.CompletedTask;
    }

    public void Dispose() => _turn.Dispose();

    private async Task TakeToWriteAsync(DbCommand command, CancellationToken cancellationToken)
    {
        // A transaction has its turn already. Reading needs none: it goes on beside the writer.
        if (command.Transaction is null && command.Connection is { } connection && Writes(command.CommandText))
        {
            await TakeAsync(connection, cancellationToken);
        }
    }

    private static bool Writes(string sql)
    {
        ReadOnlySpan<char> text = sql.AsSpan().TrimStart();
        return text.StartsWith("INSERT", StringComparison.OrdinalIgnoreCase) || text.StartsWith("UPDATE", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("DELETE", StringComparison.OrdinalIgnoreCase);
    }

    private async Task TakeAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        // SQLite's lock is what keeps the data whole; who waited too long tries it without a turn.
        if (!_holders.ContainsKey(connection) && await _turn.WaitAsync(s_longestWait, cancellationToken))
        {
            _holders[connection] = true;
        }
    }

    private void GiveAfter(DbCommand command)
    {
        if (command.Transaction is null)
        {
            Give(command.Connection);
        }
    }

    private void Give(DbConnection? connection)
    {
        if (connection is not null && _holders.TryRemove(connection, out _))
        {
            _turn.Release();
        }
    }
}
