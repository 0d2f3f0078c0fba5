using System.Data.Common;
using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace ThreatFeeds.Storage;

/// <summary>Writes many rows with few statements, in the words both databases share.</summary>
public static class BulkInsert
{
    /// <summary>Below SQLite's limit of 32,766 parameters a statement.</summary>
    private const int ParametersAtOnce = 8000;

    /// <summary>Inserts rows within the caller's transaction.</summary>
    /// <param name="conflict">What follows the values, such as <c>ON CONFLICT DO NOTHING</c>.</param>
    public static async Task InsertManyAsync(
        this ThreatFeedsContext db, string table, string[] columns, IReadOnlyList<object[]> rows, string conflict, CancellationToken cancellationToken)
    {
        // Opened and closed as a pair, so that the connection ends with the transaction.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            int rowsAtOnce = Math.Max(1, ParametersAtOnce / columns.Length);
            for (int from = 0; from < rows.Count; from += rowsAtOnce)
            {
                int count = Math.Min(rowsAtOnce, rows.Count - from);
                await using DbCommand command = db.Database.GetDbConnection().CreateCommand();
                command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
#pragma warning disable CA2100 // Table, columns and conflict clause are constants of the calling room; values are parameters.
                command.CommandText = Text(table, columns, count, conflict);
#pragma warning restore CA2100
                for (int r = 0; r < count; r++)
                {
                    foreach (object value in rows[from + r])
                    {
                        DbParameter parameter = command.CreateParameter();
                        parameter.ParameterName = "p" + command.Parameters.Count.ToString(CultureInfo.InvariantCulture);
                        parameter.Value = value;
                        command.Parameters.Add(parameter);
                    }
                }
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static string Text(string table, string[] columns, int rows, string conflict)
    {
        var sql = new StringBuilder("INSERT INTO ").Append(table).Append(" (").AppendJoin(", ", columns.Select(c => $"\"{c}\"")).Append(") VALUES ");
        int parameter = 0;
        for (int r = 0; r < rows; r++)
        {
            sql.Append(r == 0 ? "(" : ", (");
            for (int c = 0; c < columns.Length; c++)
            {
                sql.Append(c == 0 ? "@p" : ", @p").Append(parameter++);
            }
            sql.Append(')');
        }
        return sql.Append(' ').Append(conflict).ToString();
    }
}
