using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Alerts;

/// <summary>
/// Hits that become alerts, as a search commits them, beside the same rows inserted into the same tables by prepared statements and nothing else, in as many
/// transactions; and the bytes that are written for them, beside the bytes of the tables they end in. SQLite synced at each commit.
/// </summary>
internal static class HitTurns
{
    private const int Rounds = 5;
    /// <summary>As many as a search commits at once.</summary>
    private const int Window = 10_000;
    private static readonly LogSource Source = new("store-dns", "embedded/dns", LogKind.Dns);
    private static readonly string[] Tables = ["alerts", "hits", "alert_feeds", "alert_samples", "alert_outbox", "feed_hits"];

    /// <param name="only">One of the databases; null for all there are.</param>
    public static async Task RunAsync(string? only)
    {
        foreach (DatabaseProvider provider in BenchmarkDatabase.Providers.Where(p => only is null || string.Equals(only, p.ToString(), StringComparison.OrdinalIgnoreCase)))
        {
            await CompareAsync(provider, "100,000 hits opening 100,000 alerts", MakeHits(100_000, 50_021, 2_003));
            await CompareAsync(provider, "300,000 hits in 5 alerts", MakeHits(300_000, 1, 5));
        }
    }

    private static async Task CompareAsync(DatabaseProvider provider, string name, List<FoundHit> hits)
    {
        BenchmarkDatabase database = null!;
        WrittenBytes start = null!;
        string bytes = "";
        // What ours leaves is what the peer inserts.
        List<PlainRows> rows;
        database = await MakeAsync(provider);
        await WriteAsync(database, hits);
        await using (ThreatFeedsContext db = database.Create())
        {
            rows = await PlainRows.ReadAsync(db, Tables, (hits.Count + Window - 1) / Window);
        }
        database.Dispose();
        Func<Task> before = async () => database = await MakeAsync(provider);
        Func<Task> after = () =>
        {
            database.Dispose();
            return Task.CompletedTask;
        };
        await Turns.CompareAsync(
            Rounds,
            new Way($"peer: the same rows, prepared statements, {provider}", () => PlainRows.InsertAsync(database, rows)) { BeforeAsync = before, AfterAsync = after },
            new Way($"{name}, {provider}", () => WriteAsync(database, hits))
            {
                BeforeAsync = async () =>
                {
                    await before();
                    start = await WrittenBytes.NowAsync(database);
                },
                AfterAsync = async () =>
                {
                    long tables = await WrittenBytes.StoredAsync(database, Tables);
                    long written = (await WrittenBytes.NowAsync(database)).Count - start.Count;
                    bytes = string.Create(CultureInfo.InvariantCulture, $"bytes written {written / 1e6:0.0} MB, tables {tables / 1e6:0.0} MB: {(double)written / tables:0.00} x");
                    await after();
                },
            });
        Console.WriteLine(bytes);
    }

    /// <summary>With the listing of the feed that hits.</summary>
    private static async Task<BenchmarkDatabase> MakeAsync(DatabaseProvider provider)
    {
        BenchmarkDatabase made = await BenchmarkDatabase.MakeAsync(provider);
        await using ThreatFeedsContext db = made.Create();
        db.Listings.Add(new ListingRow { FeedUid = Guid.NewGuid(), Feed = "one", Content = ContentKind.DomainNameSet, Enabled = true });
        await db.SaveChangesAsync();
        return made;
    }

    private static async Task WriteAsync(BenchmarkDatabase contexts, List<FoundHit> hits)
    {
        var writer = new HitWriter(new AlertOptions(), TimeProvider.System);
        foreach (FoundHit[] window in hits.Chunk(Window))
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using IDbContextTransaction transaction = await db.Database.BeginTransactionAsync();
            await writer.WriteAsync(db, window, default);
            await transaction.CommitAsync();
        }
    }

    private static List<FoundHit> MakeHits(int count, int indicators, int workloads)
    {
        DateTimeOffset start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        byte[] line = new byte[600];
        Array.Fill(line, (byte)' ');
        var labels = new Dictionary<string, string> { ["app"] = "web", ["pod-template-hash"] = "5d4f8c7b9" };
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var client = new Endpoint($"shop-{i % workloads % 53}", $"web-{i % workloads}", false, labels, "10.0.0.7", null, null);
            var details = new RecordDetails(start.AddMilliseconds(i), client, Endpoint.Unknown, FlowAction.None, true, null);
            string name = $"n{(long)i * 7919 % indicators}.bad.example";
            return new FoundHit(Source, new Position(1, i), start.AddMilliseconds(i), HitField.QueryName, name, name, ["one"], details, line);
        })];
    }
}
