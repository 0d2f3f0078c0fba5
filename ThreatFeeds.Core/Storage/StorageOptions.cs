using System.ComponentModel.DataAnnotations;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace ThreatFeeds.Storage;

/// <summary>What keeps the rows.</summary>
public enum DatabaseProvider
{
    Sqlite,
    Postgres,
}

/// <summary>Section <c>Storage</c>, and the connection string that goes with it.</summary>
public sealed class StorageOptions : IValidatableObject
{
    /// <summary><c>Sqlite</c> or <c>Postgres</c>, in any case. Unset: <c>Sqlite</c>.</summary>
    [ConfigurationKeyName("Storage:Provider")]
    public DatabaseProvider Provider { get; set; }

    /// <summary>Of the database. Postgres needs one; unset, SQLite takes a file in the data folder.</summary>
    [ConfigurationKeyName("ConnectionStrings:ThreatFeeds")]
    [DataType(DataType.Password)]
    public string? ConnectionString { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Provider == DatabaseProvider.Postgres && ConnectionString is null)
        {
            yield return new ValidationResult("ConnectionStrings:ThreatFeeds must be set when Storage:Provider is Postgres.");
        }
        // Not shown: it may hold a password.
        if (ConnectionString is not null && !IsRead())
        {
            yield return new ValidationResult($"ConnectionStrings:ThreatFeeds is no connection string; write it like {(Provider == DatabaseProvider.Postgres ? "Host=db.example;Database=threatfeeds;Username=threatfeeds" : "Data Source=/var/lib/threatfeeds/threatfeeds.db")}.");
        }
    }

    private bool IsRead()
    {
        try
        {
            _ = Provider == DatabaseProvider.Postgres ? (DbConnectionStringBuilder)new NpgsqlConnectionStringBuilder(ConnectionString) : new SqliteConnectionStringBuilder(ConnectionString);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            return false;
        }
    }
}
