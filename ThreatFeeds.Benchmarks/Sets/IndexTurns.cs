using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Sets;

/// <summary>
/// An index of a hundred feeds with ten thousand names each out of the same fifty thousand, and the whole snapshot as after a start, when the sets are read from SQLite
/// first, beside a dictionary from each name to its feeds.
/// </summary>
internal static class IndexTurns
{
    private const int Feeds = 100, Each = 10_000, Names = 50_000, Rounds = 7;

    public static async Task RunAsync()
    {
        byte[][] names = [.. GeneratedNames.Make(Names, 3).Select(Encoding.ASCII.GetBytes)];
        var random = new Random(1);
        IndexedFeed[] feeds = [.. Enumerable.Range(0, Feeds).Select(i => new IndexedFeed($"feed-{i:000}.example", Some(names, random), false))];
        (string Feed, string[] Names)[] lists = [.. feeds.Select(f => (f.Feed, Enumerable.Range(0, f.Set.Count).Select(f.Set.Text).ToArray()))];
        await using FeedWorld world = await FeedWorld.StartAsync();
        foreach (IndexedFeed feed in feeds)
        {
            await world.Get<ListedSets>().ReplaceAsync(await world.CreateAsync(feed.Feed), feed.Set, new SetSource(feed.Feed, "", null, null), default);
        }
        object? held = null;
        long before = 0;
        var bytes = new Dictionary<string, (long Allocated, long Held)>(StringComparer.Ordinal);
        long allocated = 0;
        Way Measured(string name, Func<Task<object>> build) => new(name, async () => held = await build())
        {
            BeforeAsync = () =>
            {
                held = null;
                before = GC.GetTotalMemory(forceFullCollection: true);
                return Task.FromResult(allocated = GC.GetTotalAllocatedBytes(precise: true));
            },
            AfterAsync = () => Task.FromResult(bytes[name] = (GC.GetTotalAllocatedBytes(precise: true) - allocated, GC.GetTotalMemory(forceFullCollection: true) - before)),
        };
        await Turns.CompareAsync(
            Rounds,
            Measured("peer: a dictionary of lists", () => Task.FromResult<object>(Dictionary(lists))),
            Measured("the index", () => Task.FromResult<object>(IndicatorIndex.Build(feeds))),
            Measured("the snapshot after a start", async () =>
            {
                using var snapshots = new Snapshots(world.Get<IContextFactory>(), world.Get<StoredSets>());
                return await snapshots.RefreshAsync(default);
            }));
        GC.KeepAlive(held);
        foreach ((string name, (long a, long h)) in bytes)
        {
            Console.WriteLine($"{name}: {a >> 20} MiB allocated, {h >> 20} MiB held");
        }
    }

    private static Dictionary<string, List<string>> Dictionary((string Feed, string[] Names)[] lists)
    {
        var dictionary = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach ((string feed, string[] names) in lists)
        {
            foreach (string name in names)
            {
                if (!dictionary.TryGetValue(name, out List<string>? listed))
                {
                    dictionary[name] = listed = [];
                }
                listed.Add(feed);
            }
        }
        return dictionary;
    }

    private static IndicatorSet Some(byte[][] names, Random random)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        while (builder.Count < Each)
        {
            builder.Add(names[random.Next(names.Length)]);
        }
        return builder.Build();
    }
}
