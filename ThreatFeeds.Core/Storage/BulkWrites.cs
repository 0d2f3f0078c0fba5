using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace ThreatFeeds.Storage;

/// <summary>
/// Writes many rows within the caller's transaction, in the words both databases share. On SQLite one prepared statement is run for each
/// row: a call costs microseconds, while long value lists are slow to bind. PostgreSQL gets the rows in batches, one round trip each.
/// </summary>
public static class BulkWrites
{
    private const int RowsInBatch = 1000;

    /// <summary>Inserts rows.</summary>
    /// <param name="conflict">What follows the values, such as <c>ON CONFLICT DO NOTHING</c>.</param>
    public static Task InsertManyAsync(
        this ThreatFeedsContext db, string table, string[] columns, IReadOnlyList<object[]> rows, string conflict, CancellationToken cancellationToken)
    {
        string names = string.Join(", ", columns.Select(c => $"\"{c}\""));
        string values = string.Join(", ", columns.Select((_, i) => "@p" + i.ToString(CultureInfo.InvariantCulture)));
        return db.ExecuteManyAsync($"INSERT INTO {table} ({names}) VALUES ({values}) {conflict}", rows, cancellationToken);
    }

    /// <summary>Runs a statement once for each row; its parameters are <c>@p0</c>, <c>@p1</c> and so on.</summary>
    public static async Task ExecuteManyAsync(this ThreatFeedsContext db, string sql, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return;
        }
        // Opened and closed as a pair, so that the connection ends with the transaction.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            DbConnection connection = db.Database.GetDbConnection();
            DbTransaction? transaction = db.Database.CurrentTransaction?.GetDbTransaction();
            await (connection.CanCreateBatch
                ? InBatchesAsync(connection, transaction, sql, rows, cancellationToken)
                : PreparedAsync(connection, transaction, sql, rows, cancellationToken));
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
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

    private static async Task PreparedAsync(DbConnection connection, DbTransaction? transaction, string sql, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        await using DbCommand prepared = connection.CreateCommand();
        prepared.Transaction = transaction;
#pragma warning disable CA2100 // The statement is a constant of the calling room; values are parameters.
        prepared.CommandText = sql;
#pragma warning restore CA2100
        foreach (object[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                if (prepared.Parameters.Count <= i)
                {
                    Bind(prepared.CreateParameter(), i, row[i], prepared.Parameters);
                }
                else
                {
                    prepared.Parameters[i].Value = row[i]; // Of SQLite, which takes any text.
                }
            }
            await prepared.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static void Bind(DbParameter parameter, int place, object value, DbParameterCollection parameters)
    {
        parameter.ParameterName = "p" + place.ToString(CultureInfo.InvariantCulture);
        parameter.Value = value is string text ? StorableParameters.Storable(text) : value;
        parameters.Add(parameter);
    }
}
