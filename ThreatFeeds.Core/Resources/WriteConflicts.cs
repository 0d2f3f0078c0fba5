using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace ThreatFeeds.Resources;

/// <summary>Runs a whole transaction again when the database gave it up for another writer's sake.</summary>
public static class WriteConflicts
{
    private const int Attempts = 5;

    /// <param name="transaction">Makes its own context and transaction each time.</param>
    public static async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> transaction, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await transaction(cancellationToken);
            }
            catch (Exception e) when (attempt < Attempts && IsConflict(e))
            {
                // Both databases have already waited for the other writer before they answer so: no further delay is needed.
            }
        }
    }

    private static bool IsConflict(Exception e) => e switch
    {
        SqliteException { SqliteErrorCode: 5 or 6 } => true, // SQLITE_BUSY, SQLITE_LOCKED
        DbException { SqlState: "40001" or "40P01" } => true, // serialization failure, deadlock
        DbUpdateException { InnerException: { } inner } => IsConflict(inner),
        _ => false,
    };
}
