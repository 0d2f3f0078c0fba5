using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Random appends, faults and crashes; what was acknowledged must be there exactly once, in order, and nothing else torn.</summary>
public sealed class CrashTests
{
    [Fact]
    public async Task Acknowledged_records_survive_any_crash_once_and_in_order()
    {
        for (int seed = 1; seed <= 150; seed++)
        {
            await RunAsync(seed);
        }
    }

    private static async Task RunAsync(int seed)
    {
        var random = new Random(seed);
        var files = new ForgetfulFiles(seed);
        var clock = new HeldClock();
        EmbeddedLogStore store = await StoreFixture.OpenAsync(files, clock, segmentBytes: 600);
        var acknowledged = new List<string>();
        var refused = new HashSet<string>();
        var unsure = new List<string[]>();
        var resent = new HashSet<string>();
        var places = new Dictionary<Position, string>();
        Position highest = Position.BeforeAll;
        int next = 0;
        for (int step = 0; step < 40; step++)
        {
            switch (random.Next(13))
            {
                case 0:
                    if (random.Next(3) > 0)
                    {
                        files.Crash();
                    }
                    else
                    {
                        files.Kill();
                        (files.Room, files.FailingSyncs, files.FailingCuts) = (null, 0, 0);
                    }
                    await store.DisposeAsync();
                    store = await StoreFixture.OpenAsync(files, clock, segmentBytes: 600);
                    break;
                case 1:
                    (files.Room, files.FailingSyncs, files.FailingCuts) = (null, 0, 0);
                    await store.DisposeAsync();
                    store = await StoreFixture.OpenAsync(files, clock, segmentBytes: 600);
                    break;
                case 2:
                    files.Room = random.Next(200);
                    break;
                case 3:
                    files.FailingSyncs = 1;
                    files.FailingCuts = random.Next(2);
                    break;
                case 4:
                    files.Room = null;
                    clock.Advance(TimeSpan.FromHours(random.Next(30)));
                    break;
                case 5:
                    await RetryAsync();
                    break;
                default:
                    await AppendSomeAsync();
                    break;
            }
            await CheckAsync();
        }
        await store.DisposeAsync();

        async Task AppendSomeAsync()
        {
            var batches = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{seed}-{next++}-{new string('z', random.Next(60))}").ToArray()).ToList();
            Task<bool>[] running = [.. batches.Select(b => store.AddWithKeyAsync(b[0], b))];
            for (int i = 0; i < running.Length; i++)
            {
                try
                {
                    Assert.True(await running[i]);
                    acknowledged.AddRange(batches[i]);
                }
                catch (LogStoreException)
                {
                    refused.UnionWith(batches[i]);
                    unsure.Add(batches[i]);
                }
            }
        }

        // A sender that got no answer sends again under the same key: stored now or before, but there, once.
        async Task RetryAsync()
        {
            foreach (string[] batch in unsure.ToList())
            {
                bool there = (await store.LinesAsync()).Contains(batch[0]);
                try
                {
                    Assert.True(await store.AddWithKeyAsync(batch[0], batch) != there, $"seed {seed}: the key of a batch that is {(there ? "" : "not ")}there says otherwise");
                }
                catch (LogStoreException)
                {
                    return;
                }
                unsure.Remove(batch);
                Assert.True(batch.All((await store.LinesAsync()).Contains), $"seed {seed}: a batch is not there after its retry");
                resent.UnionWith(batch);
            }
        }

        async Task CheckAsync()
        {
            List<(Position Position, string Line)> all = await store.ReadAsync();
            var lines = all.Select(r => r.Line).ToList();
            Assert.True(lines.Count == lines.Distinct().Count(), $"seed {seed}: a record is there twice");
            Assert.True(lines.All(l => refused.Contains(l) || acknowledged.Contains(l)), $"seed {seed}: a torn record");
            // Unacknowledged batches may have reached the disk whole; the rest is exactly what was acknowledged, in order.
            Assert.True(acknowledged.SequenceEqual(lines.Where(l => !refused.Contains(l))), $"seed {seed}: acknowledged records are lost or out of order");
            foreach ((Position position, string line) in all)
            {
                Assert.True(places.TryAdd(position, line) ? position > highest : places[position] == line, $"seed {seed}: position {position} was given twice or behind the head");
            }
            Assert.True(resent.IsSubsetOf(lines), $"seed {seed}: a batch sent again is lost");
            highest = await store.HeadAsync();
            // Nothing is ever called damaged that was only torn.
            Assert.Equal(new RangeCount(lines.Count, 0), await store.CountAsync());
        }
    }
}
