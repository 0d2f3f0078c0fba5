using System.Text;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Sets;

/// <summary>Storing a set of a million names, and the one after it with a thousand others, beside writing the same lines to a file; each synced.</summary>
internal static class StoringTurns
{
    private const int Names = 1_000_000, Changed = 1_000, Rounds = 7;

    public static async Task RunAsync()
    {
        string[] texts = [.. GeneratedNames.Make(Names + Changed, 7)];
        IndicatorSet first = SetOf(texts.Take(Names)), next = SetOf(texts.Skip(Changed));
        FeedWorld world = null!;
        Feed feed = null!;
        string file = Path.GetTempFileName();
        long whole = 0, more = 0, lines = 0;
        await Turns.CompareAsync(
            Rounds,
            new Way("peer: the sorted lines to a file", () => WriteAsync(file, first)) { AfterAsync = () => Task.FromResult(lines = new FileInfo(file).Length) },
            new Way("a set of 1,000,000 names", () => world.Get<StoredSets>().WriteAsync(world.Get<StoredSets>().Date(first, null), new SetSource("", "", null, null), default))
            {
                BeforeAsync = async () => world = await FeedWorld.StartAsync(),
                AfterAsync = async () =>
                {
                    whole = await BytesAsync(world);
                    await world.DisposeAsync();
                },
            },
            new Way("1,000 of them replaced (read, compared, stored)", () => world.Get<ListedSets>().ReplaceAsync(feed, next, new SetSource("2", "", null, null), default))
            {
                BeforeAsync = async () =>
                {
                    world = await FeedWorld.StartAsync();
                    feed = await world.CreateAsync("names");
                    await world.Get<ListedSets>().ReplaceAsync(feed, first, new SetSource("1", "", null, null), default);
                },
                AfterAsync = async () =>
                {
                    more = await BytesAsync(world) - whole;
                    await world.DisposeAsync();
                },
            });
        File.Delete(file);
        Console.WriteLine($"bytes: lines {lines}, stored {whole}, stored anew for 1,000 removed and 1,000 added {more} ({100.0 * more / whole:0.00} %)");
    }

    private static async Task WriteAsync(string file, IndicatorSet set)
    {
        await using var to = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        for (int i = 0; i < set.Count; i++)
        {
            to.Write(set[i]);
            to.WriteByte((byte)'\n');
        }
        to.Flush(flushToDisk: true);
    }

    private static IndicatorSet SetOf(IEnumerable<string> texts)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        foreach (string text in texts)
        {
            builder.Add(Encoding.ASCII.GetBytes(text));
        }
        return builder.Build();
    }

    private static async Task<long> BytesAsync(FeedWorld world)
    {
        await using ThreatFeedsContext db = world.Get<IContextFactory>().Create();
        return await db.SetChunks.SumAsync(c => (long)c.Data.Length + c.First.Length);
    }
}
