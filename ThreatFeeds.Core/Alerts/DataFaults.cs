using System.Data.Common;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;

namespace ThreatFeeds.Alerts;

/// <summary>Tells a database that refuses what it is given from one that cannot be reached or cannot work: only the first will do so for ever.</summary>
internal static class DataFaults
{
    /// <summary>Why the data were refused, without the data; null when they are not to blame.</summary>
    public static string? Reason(Exception problem)
    {
        for (Exception? at = problem; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                // SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE.
                case SqliteException { SqliteErrorCode: 18 or 19 or 20 or 25 } sqlite:
                    return string.Create(CultureInfo.InvariantCulture, $"SQLite error {sqlite.SqliteErrorCode}: {sqlite.Message}");
                // Data exception, integrity constraint violation, program limit exceeded.
                case DbException { SqlState: { Length: 5 } state } sql when state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal) || state.StartsWith("54", StringComparison.Ordinal):
                    return sql.Message;
                case EncoderFallbackException:
                    return "A text is not Unicode.";
                case OverflowException:
                    return "A number does not fit its column.";
            }
        }
        return null;
    }
}
