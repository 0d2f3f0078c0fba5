using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace ThreatFeeds.Storage;

/// <summary>
/// Writes many rows within the caller's transaction. On SQLite one prepared statement is run for each row: a call costs microseconds, while long value lists
/// are slow to bind. PostgreSQL gets new rows by COPY, those that may conflict as columns in one statement, and other statements in batches, one round trip each.
/// </summary>
public static class BulkWrites
{
    private const int RowsInBatch = 1000;

    /// <summary>Inserts rows.</summary>
    /// <param name="rows">Values of the columns' own types; <see cref="DBNull"/> only where nothing is said of conflicts.</param>
    /// <param name="conflict">What follows the values, such as <c>ON CONFLICT DO NOTHING</c>; empty when a conflict is an error.</param>
    public static async Task InsertManyAsync(
        this ThreatFeedsContext db, string table, string[] columns, IReadOnlyList<object[]> rows, string conflict, CancellationToken cancellationToken)
    {
        string into = $"{table} ({string.Join(", ", columns.Select(c => $"\"{c}\""))})";
        if (!db.LocksRows)
        {
            await db.ExecuteManyAsync($"INSERT INTO {into} VALUES ({string.Join(", ", columns.Select((_, i) => "@" + Name(i)))}) {conflict}", rows, cancellationToken);
        }
        else if (rows.Count > 0)
        {
            await OpenedAsync(db, (connection, transaction) => conflict.Length == 0
                ? CopyAsync((NpgsqlConnection)connection, into, rows, cancellationToken)
                : InColumnsAsync(connection, transaction, into, rows, conflict, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Runs a statement once for each row; its parameters are <c>@p0</c>, <c>@p1</c> and so on, each once and in this order.</summary>
    public static async Task ExecuteManyAsync(this ThreatFeedsContext db, string sql, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        if (rows.Count > 0)
        {
            await OpenedAsync(db, (connection, transaction) =>
            {
                if (connection is SqliteConnection sqlite)
                {
                    SqliteRows.Run(sqlite, sql, rows, cancellationToken);
                    return Task.CompletedTask;
                }
                return InBatchesAsync(connection, transaction, sql, rows, cancellationToken);
            }, cancellationToken);
        }
    }

    /// <summary>Opened and closed as a pair, so that the connection ends with the transaction.</summary>
    private static async Task OpenedAsync(ThreatFeedsContext db, Func<DbConnection, DbTransaction?, Task> work, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await work(db.Database.GetDbConnection(), db.Database.CurrentTransaction?.GetDbTransaction());
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string into, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        await using NpgsqlBinaryImporter import = await connection.BeginBinaryImportAsync($"COPY {into} FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (object[] row in rows)
        {
            await import.StartRowAsync(cancellationToken);
            foreach (object value in row)
            {
                await (value is DBNull ? import.WriteNullAsync(cancellationToken) : import.WriteAsync(Storable(value), cancellationToken));
            }
        }
        await import.CompleteAsync(cancellationToken);
    }

    private static async Task InColumnsAsync(
        DbConnection connection, DbTransaction? transaction, string into, IReadOnlyList<object[]> rows, string conflict, CancellationToken cancellationToken)
    {
        await using DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Words of the calling room; values are parameters.
        command.CommandText = $"INSERT INTO {into} SELECT * FROM unnest({string.Join(", ", rows[0].Select((_, i) => "@" + Name(i)))}) {conflict}";
#pragma warning restore CA2100
        for (int i = 0; i < rows[0].Length; i++)
        {
            var column = Array.CreateInstance(rows[0][i].GetType(), rows.Count);
            for (int row = 0; row < rows.Count; row++)
            {
                column.SetValue(Storable(rows[row][i]), row);
            }
            Bind(command.CreateParameter(), i, column, command.Parameters);
        }
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task InBatchesAsync(DbConnection connection, DbTransaction? transaction, string sql, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        foreach (object[][] part in rows.Chunk(RowsInBatch))
        {
            await using DbBatch batch = connection.CreateBatch();
            batch.Transaction = transaction;
            foreach (object[] row in part)
            {
                DbBatchCommand command = batch.CreateBatchCommand();
                command.CommandText = sql;
                for (int i = 0; i < row.Length; i++)
                {
                    Bind(command.CreateParameter(), i, row[i], command.Parameters);
                }
                batch.BatchCommands.Add(command);
            }
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static void Bind(DbParameter parameter, int place, object value, DbParameterCollection parameters)
    {
        parameter.ParameterName = Name(place);
        parameter.Value = Storable(value);
        parameters.Add(parameter);
    }

    private static string Name(int place) => "p" + place.ToString(CultureInfo.InvariantCulture);

    private static object Storable(object value) => value is string text ? StorableParameters.Storable(text) : value;
}
