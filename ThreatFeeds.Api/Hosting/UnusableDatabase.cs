using Microsoft.Data.Sqlite;
using Npgsql;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Tells a database that cannot be used as it stands, whatever this program does, from a fault of this program.</summary>
internal static class UnusableDatabase
{
    private static readonly int[] DamagedSqlite = [11, 26]; // SQLITE_CORRUPT, SQLITE_NOTADB
    private static readonly int[] UnusableSqlite = [3, 5, 6, 8, 10, 13, 14]; // SQLITE_PERM, BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN

    /// <summary>Why a start fails and what to do, or null when it is something else.</summary>
    public static string? Describe(Exception problem)
    {
        for (Exception? e = problem; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case SqliteException sqlite when DamagedSqlite.Contains(sqlite.SqliteErrorCode):
                    return $"The database (threatfeeds.db in the data folder) is damaged: {sqlite.Message.TrimEnd('.')}. "
                        + "Restore it, with its -wal and -shm files, from a backup. Without one, move threatfeeds.db* away: feeds and alerts then start empty, and the logs kept are searched anew.";
                case SqliteException sqlite when UnusableSqlite.Contains(sqlite.SqliteErrorCode):
                    return $"The database cannot be used: {sqlite.Message.TrimEnd('.')}.";
                case PostgresException postgres when postgres.IsTransient || DatabaseFaults.IsNotLetIn(postgres) || postgres.SqlState == PostgresErrorCodes.InsufficientPrivilege:
                    return $"The database of ConnectionStrings:ThreatFeeds cannot be used: {postgres.MessageText} ({postgres.SqlState}).";
                // What the driver says of the way there; it names host and port, and no password.
                case NpgsqlException and not PostgresException and not NpgsqlOperationInProgressException:
                    return $"The database of ConnectionStrings:ThreatFeeds cannot be used: {e.Message.TrimEnd('.')}.";
            }
        }
        return null;
    }
}
