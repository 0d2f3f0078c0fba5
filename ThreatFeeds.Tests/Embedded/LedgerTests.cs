using System.Text;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>The ledger stays as small as what is kept, and what is gone stays counted, whatever stops in between.</summary>
public sealed class LedgerTests
{
    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Fact]
    public async Task A_ledger_does_not_grow_with_what_is_gone_and_still_counts_it()
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        for (int day = 0; day < 60; day++)
        {
            await store.AddAsync($"{day}-a", $"{day}-b");
            _clock.Advance(TimeSpan.FromDays(1));
            // One record of each day in three goes before it was searched.
            Position head = await store.HeadAsync();
            Position mark = day % 3 == 0 ? new Position(head.Segment, 0) : head;
            await store.RetainAsync(_clock.GetUtcNow() - TimeSpan.FromDays(3), head);
            await store.RetainAsync(DateTimeOffset.MinValue, mark, most: day % 3 == 0 ? 0 : long.MaxValue);
        }
        Position last = await store.HeadAsync();
        await CheckAsync(store);
        int lines = Lines().Length;
        Assert.InRange(lines, 3, 10);
        await store.DisposeAsync();
        _files.Crash();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
        await CheckAsync(again);
        Assert.InRange(Lines().Length, 3, lines + 1);
        await again.AddAsync("next");
        Assert.True(await again.HeadAsync() > last);

        async Task CheckAsync(EmbeddedLogStore open)
        {
            RangeCount count = await open.CountAsync();
            Assert.Equal(120, count.Records + count.Deleted);
            Assert.Equal((await open.LinesAsync()).Count, count.Records);
            Assert.Equal(20, await open.LostAsync(open.Dns(), CancellationToken.None));
            Assert.Equal(last, await open.HeadAsync());
        }
    }

    [Fact]
    public async Task What_is_gone_on_both_sides_of_a_segment_that_stays_is_counted_on_its_side()
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        for (int day = 0; day < 9; day++)
        {
            // A clock that was wrong for a day: what arrived then is kept for long.
            TimeSpan ahead = TimeSpan.FromDays(day == 4 ? 1000 : 0);
            _clock.Advance(ahead);
            await store.AddAsync($"{day}");
            _clock.Advance(TimeSpan.FromDays(1) - ahead);
        }
        await store.RetainAsync(_clock.GetUtcNow(), await store.HeadAsync());
        Assert.Equal(["4"], await store.LinesAsync());
        for (int start = 0; start < 2; start++)
        {
            Assert.Equal(["deleted", "deleted", "sealed"], Lines()[1..^1].Select(l => l.Split(' ')[0]).Order());
            LogSource source = store.Dns();
            Position head = await store.HeadAsync();
            Assert.Equal(new Position(9, 0), head);
            Assert.Equal(new RangeCount(1, 8), await store.CountAsync(source, Position.BeforeAll, head, CancellationToken.None));
            Assert.Equal(new RangeCount(0, 4), await store.CountAsync(source, Position.BeforeAll, new Position(4, 0), CancellationToken.None));
            Assert.Equal(new RangeCount(1, 4), await store.CountAsync(source, new Position(4, 0), head, CancellationToken.None));
            Assert.Equal(new RangeCount(0, 4), await store.CountAsync(source, new Position(5, 0), head, CancellationToken.None));
            await store.DisposeAsync();
            store = await StoreFixture.OpenAsync(_files, _clock);
        }
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_ledger_of_the_second_version_is_made_small_at_a_start_that_may_end_at_any_point()
    {
        for (int step = 0, ended = 0; ended == 0; step++)
        {
            var files = new ForgetfulFiles(step);
            EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
            for (int day = 0; day < 5; day++)
            {
                await store.AddAsync($"{day}-a", $"{day}-b");
                _clock.Advance(TimeSpan.FromDays(1));
            }
            string id = store.Dns().Id;
            await store.DisposeAsync();
            // As the second version wrote it: a line for each segment, the files of the last not yet gone.
            files.Replace("dns/ledger", text => Sealed(string.Concat(
                "threatfeeds segments 2\n",
                string.Concat(text.Split('\n').Where(l => l.StartsWith("sealed 5", StringComparison.Ordinal)).Select(l => l + "\n")),
                string.Concat(Enumerable.Range(1, 4).Select(n => $"deleted {n} 2 {_clock.GetUtcNow().UtcTicks} 1\n")))));
            files.StandStillAfter(step);
            try
            {
                store = await StoreFixture.OpenAsync(files, _clock);
                ended = files.StandsStill ? 0 : 1;
                await store.DisposeAsync();
            }
            catch (LogStoreException)
            {
            }
            files.Crash();
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
            Assert.Equal(["4-a", "4-b"], await again.LinesAsync());
            Assert.Equal(new RangeCount(2, 8), await again.CountAsync());
            Assert.Equal(4, await again.LostAsync(again.Dns(), CancellationToken.None));
            Assert.Equal(new Position(5, 1), await again.HeadAsync());
            string ledger = Encoding.UTF8.GetString(files.Bytes("dns/ledger"));
            Assert.Single(ledger.Split('\n'), l => l.StartsWith("deleted", StringComparison.Ordinal));
            Assert.Equal(["00000005.seg"], files.List("/data/logs/dns").Where(n => n.EndsWith(".seg", StringComparison.Ordinal)));
            Assert.InRange(step, 0, 100);
        }
    }

    [Fact]
    public async Task Deletion_that_ends_at_any_point_counts_each_record_once()
    {
        for (int step = 0, ended = 0; ended == 0; step++)
        {
            var files = new ForgetfulFiles(step);
            EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
            for (int day = 0; day < 6; day++)
            {
                await store.AddAsync($"{day}-a", $"{day}-b");
                _clock.Advance(TimeSpan.FromDays(1));
                if (day == 2)
                {
                    await store.RetainAsync(DateTimeOffset.MinValue, new Position(1, 0), most: 100);
                }
            }
            Position head = await store.HeadAsync();
            long gone = (await store.CountAsync()).Deleted;
            Assert.Equal(4, gone);
            files.StandStillAfter(step);
            try
            {
                // The mark stands at the first record of the fourth day.
                await store.RetainAsync(DateTimeOffset.MinValue, new Position(4, 0), most: 150);
                ended = files.StandsStill ? 0 : 1;
            }
            catch (LogStoreException)
            {
            }
            files.Crash();
            await store.DisposeAsync();
            for (int start = 0; start < 2; start++)
            {
                await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
                List<string> lines = await again.LinesAsync();
                Assert.Equal(new RangeCount(lines.Count, 12 - lines.Count), await again.CountAsync());
                Assert.Equal(Enumerable.Range(0, 6).SelectMany(d => new[] { $"{d}-a", $"{d}-b" }).TakeLast(lines.Count), lines);
                // Three were lost at first; of what went now all behind the mark.
                Assert.Equal(3 + Math.Max(0, 12 - lines.Count - 7), await again.LostAsync(again.Dns(), CancellationToken.None));
                Assert.Equal(head, await again.HeadAsync());
            }
            Assert.InRange(step, 0, 100);
        }
    }

    /// <summary>With its checksum behind.</summary>
    internal static string Sealed(string body) => $"{body}crc32c {Crc32C.Of(Encoding.UTF8.GetBytes(body)):x8}\n";

    private string[] Lines() => Encoding.UTF8.GetString(_files.Bytes("dns/ledger")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
