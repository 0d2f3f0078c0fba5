using Microsoft.Data.Sqlite;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Tells a broken SQLite file from every other reason why a start fails.</summary>
internal static class DamagedDatabase
{
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    /// <summary>What is wrong and what to do, or null when it is something else.</summary>
    public static string? Describe(Exception problem)
    {
        for (Exception? e = problem; e is not null; e = e.InnerException)
        {
            if (e is SqliteException { SqliteErrorCode: Corrupt or NotADatabase } damage)
            {
                return $"The database (threatfeeds.db in the data folder) is damaged: {damage.Message.TrimEnd('.')}. "
                    + "Restore it, with its -wal and -shm files, from a backup. Without one, move threatfeeds.db* away: feeds and alerts then start empty, and the logs kept are searched anew.";
            }
        }
        return null;
    }
}
