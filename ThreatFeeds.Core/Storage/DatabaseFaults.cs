using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ThreatFeeds.Storage;

/// <summary>What an error of the database says of the database.</summary>
public static class DatabaseFaults
{
    /// <summary>States of PostgreSQL that say no more than that this client is not let in, or that there is nothing to let it into; whoever runs the server can change that.</summary>
    private static readonly string[] s_notLetIn =
    [
        PostgresErrorCodes.InvalidPassword, PostgresErrorCodes.InvalidAuthorizationSpecification, PostgresErrorCodes.InvalidCatalogName, PostgresErrorCodes.ReadOnlySqlTransaction,
    ];

    /// <summary>Whether the database is what could not answer, and may well do so when asked again: a fault of this program is no such thing.</summary>
    public static bool IsAway(Exception problem)
    {
        const int sqliteBusy = 5;
        const int sqliteLocked = 6;
        for (Exception? e = problem; e is not null; e = e.InnerException)
        {
            if ((e is PostgresException postgres && IsNotLetIn(postgres))
                || e is DbException { IsTransient: true }
                or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.IdleSessionTimeout }
                or SqliteException { SqliteErrorCode: sqliteBusy or sqliteLocked })
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether it is one of the server's states in which this client is not let in.</summary>
    public static bool IsNotLetIn(PostgresException problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return s_notLetIn.Contains(problem.SqlState);
    }
}
