using System.Text;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Embedded;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>
/// Store, searches and database together, on a disk that forgets at a crash what was not synced. The database keeps what it committed
/// (each commit is synced); so hits must never speak of records that the store may still forget, and no acknowledged record may be lost.
/// </summary>
public sealed class ForgetfulDiskTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task After_any_crash_each_acknowledged_record_is_found_once(StorageProvider provider)
    {
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("THREATFEEDS_TEST_SEEDS"), out int more) ? more : provider == StorageProvider.Sqlite ? 12 : 4;
        for (int seed = 1; seed <= seeds; seed++)
        {
            await RunAsync(provider, seed);
        }
    }

    private static async Task RunAsync(StorageProvider provider, int seed)
    {
        var random = new Random(seed);
        var disk = new ForgetfulFiles(seed);
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, disk);
        await world.FeedAsync("bad", "DomainNameSet", below: true);
        var acknowledged = new HashSet<string>();
        int next = 0;
        bool listed = false;
        for (int step = 0; step < 50; step++)
        {
            switch (random.Next(10))
            {
                case 0:
                    disk.Crash();
                    await world.RestartAsync();
                    break;
                case 1:
                    disk.Room = random.Next(400);
                    break;
                case 2:
                    disk.Room = null;
                    disk.FailingSyncs = random.Next(2);
                    break;
                case 3:
                    // On and off, so that there is looking back as well as forward.
                    listed = !listed;
                    await world.SetAsync("bad", listed ? "bad.example" : "other.example");
                    break;
                case 4 or 5 or 6:
                    await PostAsync();
                    break;
                default:
                    LogSource source = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
                    if (random.Next(2) == 0)
                    {
                        await world.ForwardAsync(source);
                    }
                    else
                    {
                        await world.LookBack.StepAsync(source, default);
                    }
                    break;
            }
        }
        disk.Crash();
        await world.RestartAsync();
        await world.SetAsync("bad", "bad.example");
        await world.SettleAsync();
        await CheckAsync();

        async Task PostAsync()
        {
            string[] names = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => $"r{next++}.bad.example")];
            // Sometimes the crash comes while the batch is under way.
            Task<Ingestion> posting = world.DnsAsync(names);
            if (random.Next(8) == 0)
            {
                disk.Crash();
            }
            try
            {
                await posting;
                acknowledged.UnionWith(names);
            }
            catch (LogStoreException)
            {
                // Not acknowledged: whether it is there is the disk's affair, but then whole and found.
            }
            catch (IOException)
            {
                // The same, met before the store could put it into words.
            }
        }

        async Task CheckAsync()
        {
            LogSource source = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
            var kept = new List<(Position Position, string Name)>();
            await world.Logs.ReadAsync(source, Position.BeforeAll, await world.Logs.HeadAsync(source, default), record =>
            {
                string line = Encoding.UTF8.GetString(record.Line.Span);
                kept.Add((record.Position, line.Split("\"qname\":\"")[1].Split('"')[0]));
                return true;
            }, default);
            Assert.True(kept.Count == kept.Distinct().Count(), $"seed {seed}: a record is there twice");
            Assert.True(acknowledged.IsSubsetOf(kept.Select(k => k.Name)), $"seed {seed}: lost {string.Join(", ", acknowledged.Except(kept.Select(k => k.Name)))}");
            List<HitRow> hits = await world.HitsAsync();
            Assert.True(
                kept.Order().SequenceEqual(hits.Select(h => (new Position(h.Segment, h.Ordinal), h.Value)).Order()),
                $"seed {seed}: {kept.Count} records and {hits.Count} hits");
            await world.CheckCountsAsync();
        }
    }
}
