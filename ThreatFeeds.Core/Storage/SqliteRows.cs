using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ThreatFeeds.Storage;

/// <summary>
/// Runs one prepared statement for many rows, its parameters bound by their place: the commands of Microsoft.Data.Sqlite look each up by its name for each row,
/// which takes longer than writing it. Values are stored as these commands store them.
/// </summary>
internal static class SqliteRows
{
    /// <summary>Rows between two looks at the cancellation.</summary>
    private const int Stride = 256;

    /// <summary>Within the transaction that the connection has open.</summary>
    /// <exception cref="SqliteException">A row was refused; the statements before it stand until the transaction is rolled back.</exception>
    public static void Run(SqliteConnection connection, string sql, IReadOnlyList<object[]> rows, CancellationToken cancellationToken)
    {
        sqlite3 db = connection.Handle!;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(db, sql, out sqlite3_stmt statement), db);
        using (statement)
        {
            for (int i = 0; i < rows.Count; i++)
            {
                if (i % Stride == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }
                for (int place = 0; place < rows[i].Length; place++)
                {
                    SqliteException.ThrowExceptionForRC(Bind(statement, place + 1, rows[i][place]), db);
                }
                int result = raw.sqlite3_step(statement);
                if (result is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
                {
                    SqliteException.ThrowExceptionForRC(result, db);
                }
                raw.sqlite3_reset(statement);
            }
        }
    }

    private static int Bind(sqlite3_stmt statement, int place, object value) => value switch
    {
        string text => raw.sqlite3_bind_text(statement, place, text),
        long number => raw.sqlite3_bind_int64(statement, place, number),
        int number => raw.sqlite3_bind_int(statement, place, number),
        byte[] bytes => raw.sqlite3_bind_blob(statement, place, bytes),
        bool flag => raw.sqlite3_bind_int(statement, place, flag ? 1 : 0),
        DBNull => raw.sqlite3_bind_null(statement, place),
        DateTime time => raw.sqlite3_bind_text(statement, place, time.ToString("yyyy'-'MM'-'dd' 'HH':'mm':'ss'.'FFFFFFF", CultureInfo.InvariantCulture)),
        Guid id => raw.sqlite3_bind_text(statement, place, id.ToString().ToUpperInvariant()),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be stored.", nameof(value)),
    };
}
