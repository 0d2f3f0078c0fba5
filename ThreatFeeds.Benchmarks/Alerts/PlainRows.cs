using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>Rows of a table as they are, to be inserted with nothing else done: one prepared statement a row on SQLite, prepared batches of a thousand on PostgreSQL.</summary>
internal sealed record PlainRows(string Table, string[] Columns, List<object[]> Rows)
{
    private const int RowsInBatch = 1000;

    /// <summary>All rows of these tables, in the order of their keys as they were given, in so many parts.</summary>
    public static async Task<List<PlainRows>> ReadAsync(ThreatFeedsContext db, string[] tables, int parts)
    {
        await db.Database.OpenConnectionAsync();
        var all = new List<PlainRows>();
        foreach (string table in tables)
        {
            await using DbCommand command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // Names of ours.
            command.CommandText = $"SELECT * FROM {table}{(table is "alerts" ? " ORDER BY \"Id\"" : table is "hits" ? " ORDER BY \"Ordinal\"" : "")}";
#pragma warning restore CA2100
            await using DbDataReader reader = await command.ExecuteReaderAsync();
            string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            var rows = new List<object[]>();
            while (await reader.ReadAsync())
            {
                object[] row = new object[columns.Length];
                reader.GetValues(row);
                rows.Add(row);
            }
            int size = Math.Max(1, (rows.Count + parts - 1) / parts);
            all.AddRange(rows.Chunk(size).Select(part => new PlainRows(table, columns, [.. part])));
        }
        // The first part of each table, then the second of each.
        return [.. all.GroupBy(p => p.Table).SelectMany(g => g.Select((p, i) => (Part: i, Rows: p))).OrderBy(p => p.Part).Select(p => p.Rows)];
    }

    /// <summary>One transaction for each part, which begins where the first table comes again.</summary>
    public static async Task InsertAsync(IContextFactory contexts, List<PlainRows> all)
    {
        string first = all[0].Table;
        await using ThreatFeedsContext db = contexts.Create();
        await db.Database.OpenConnectionAsync();
        DbConnection connection = db.Database.GetDbConnection();
        for (int i = 0; i < all.Count;)
        {
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync();
            do
            {
                await (connection.CanCreateBatch ? all[i].InBatchesAsync(connection) : all[i].OneByOneAsync(connection, transaction.GetDbTransaction()));
                i++;
            }
            while (i < all.Count && all[i].Table != first);
            await transaction.CommitAsync();
        }
    }

    private string Sql =>
        $"INSERT INTO {Table} ({string.Join(", ", Columns.Select(c => $"\"{c}\""))}) VALUES ({string.Join(", ", Columns.Select((_, i) => "@p" + i.ToString(CultureInfo.InvariantCulture)))})";

    private async Task OneByOneAsync(DbConnection connection, DbTransaction transaction)
    {
        await using DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // Names of ours.
        command.CommandText = Sql;
#pragma warning restore CA2100
        for (int i = 0; i < Columns.Length; i++)
        {
            command.Parameters.Add(Parameter(command.CreateParameter(), i, Rows[0][i]));
        }
        await command.PrepareAsync();
        foreach (object[] row in Rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                command.Parameters[i].Value = row[i];
            }
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task InBatchesAsync(DbConnection connection)
    {
        foreach (object[][] part in Rows.Chunk(RowsInBatch))
        {
            await using DbBatch batch = connection.CreateBatch();
            foreach (object[] row in part)
            {
                DbBatchCommand command = batch.CreateBatchCommand();
                command.CommandText = Sql;
                for (int i = 0; i < row.Length; i++)
                {
                    command.Parameters.Add(Parameter(command.CreateParameter(), i, row[i]));
                }
                batch.BatchCommands.Add(command);
            }
            await batch.PrepareAsync();
            await batch.ExecuteNonQueryAsync();
        }
    }

    private static DbParameter Parameter(DbParameter parameter, int place, object value)
    {
        parameter.ParameterName = "p" + place.ToString(CultureInfo.InvariantCulture);
        parameter.Value = value;
        return parameter;
    }
}
