using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

public sealed class RetentionTests
{
    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    private DateTimeOffset Before => _clock.GetUtcNow() - TimeSpan.FromDays(8);

    [Fact]
    public async Task Days_older_than_allowed_go_once_they_were_searched()
    {
        await using EmbeddedLogStore store = await OpenWithDaysAsync(10);
        Assert.Equal(0, await store.RetainAsync(Before, Position.BeforeAll));
        Assert.Equal(10, (await store.LinesAsync()).Count);
        Position head = await store.HeadAsync();
        Assert.Equal(1, await store.RetainAsync(Before, head));
        Assert.Equal("1", (await store.LinesAsync())[0]);
        Assert.Equal(new RangeCount(9, 1), await store.CountAsync());
        Assert.Equal(head, await store.HeadAsync());
    }

    [Fact]
    public async Task A_day_that_is_being_written_is_sealed_when_it_is_over_and_goes_too()
    {
        await using EmbeddedLogStore store = await OpenWithDaysAsync(1);
        Position head = await store.HeadAsync();
        _clock.Advance(TimeSpan.FromDays(9));
        Assert.Equal(1, await store.RetainAsync(Before, head));
        Assert.Empty(await store.LinesAsync());
        Assert.Equal(head, await store.HeadAsync());
        await store.AddAsync("next");
        Assert.True(await store.HeadAsync() > head);
    }

    [Fact]
    public async Task The_size_limit_deletes_the_oldest_even_unsearched_and_a_restart_remembers()
    {
        EmbeddedLogStore store = await OpenWithDaysAsync(5);
        long before = (await store.CountAsync()).Records;
        long gone = await store.RetainAsync(Before, Position.BeforeAll, most: 200);
        Assert.InRange(gone, 1, before - 1);
        Assert.Equal(new RangeCount(before - gone, gone), await store.CountAsync());
        Position head = await store.HeadAsync();
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal(new RangeCount(before - gone, gone), await again.CountAsync());
        Assert.Equal(head, await again.HeadAsync());
        Assert.Equal("4", (await again.LinesAsync())[^1]);
    }

    [Fact]
    public async Task Of_two_kinds_the_older_records_go_first_when_there_is_too_much()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        LogSource flows = store.Sources.First(s => s.Kind == LogKind.Flow);
        await store.AppendAsync(new LogBatch(LogKind.Flow, "calico", [new byte[100]], null), CancellationToken.None);
        _clock.Advance(TimeSpan.FromDays(1));
        await store.AddAsync(new string('x', 100));
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await store.RetainAsync(DateTimeOffset.MinValue, Position.BeforeAll, most: 250));
        Assert.Equal(new RangeCount(0, 1), await store.CountAsync(flows, Position.BeforeAll, await store.HeadAsync(flows, CancellationToken.None), CancellationToken.None));
        Assert.Single(await store.LinesAsync());
    }

    [Fact]
    public async Task A_limit_below_the_segment_being_written_deletes_that_too()
    {
        await using EmbeddedLogStore store = await OpenWithDaysAsync(1);
        Assert.Equal(1, await store.RetainAsync(Before, Position.BeforeAll, most: 10));
        Assert.Equal(new RangeCount(0, 1), await store.CountAsync());
    }

    [Fact]
    public async Task After_everything_was_deleted_positions_are_not_given_again()
    {
        EmbeddedLogStore store = await OpenWithDaysAsync(3);
        Position head = await store.HeadAsync();
        await store.RetainAsync(Before, Position.BeforeAll, most: 0);
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal(head, await again.HeadAsync());
        await again.AddAsync("new");
        Assert.Equal(new Position(head.Segment + 1, 0), await again.HeadAsync());
        Assert.Equal(["new"], await again.LinesAsync());
        Assert.Equal(new RangeCount(1, 3), await again.CountAsync());
    }

    [Fact]
    public async Task A_process_that_ends_between_the_count_and_the_deletion_counts_once()
    {
        EmbeddedLogStore store = await OpenWithDaysAsync(3);
        Position head = await store.HeadAsync();
        _files.FailingDeletes = 1;
        await Assert.ThrowsAsync<LogStoreException>(() => store.RetainAsync(DateTimeOffset.MinValue, new Position(1, 0), most: 150));
        Assert.Contains("00000001.seg", _files.List("/data/logs/dns"));
        _files.Kill();
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
        Assert.DoesNotContain("00000001.seg", _files.List("/data/logs/dns"));
        // The first was searched, those behind the mark were not.
        Assert.Equal(0, await again.LostAsync(again.Dns(), CancellationToken.None));
        await again.RetainAsync(DateTimeOffset.MinValue, new Position(1, 0), most: 0);
        Assert.Equal(2, await again.LostAsync(again.Dns(), CancellationToken.None));
        Assert.Equal(new RangeCount(0, 3), await again.CountAsync());
        Assert.Equal(head, await again.HeadAsync());
    }

    [Fact]
    public async Task Damage_counts_once_also_when_its_segment_goes()
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddAsync("a", "b");
        await store.AddAsync("c");
        await store.DisposeAsync();
        _files.Damage("1.seg", Segment.HeaderBytes + Frame.HeaderBytes + 6 + 4);
        for (int start = 0; start < 2; start++)
        {
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
            Assert.Equal(["c"], await again.LinesAsync());
            Assert.Equal(2, await again.LostAsync(again.Dns(), CancellationToken.None));
        }
        await using EmbeddedLogStore last = await StoreFixture.OpenAsync(_files, _clock);
        // Searched up to the first record: of the two behind it one was lost before.
        await last.RetainAsync(DateTimeOffset.MinValue, new Position(1, 0), most: 0);
        Assert.Equal(3, await last.LostAsync(last.Dns(), CancellationToken.None));
    }

    [Fact]
    public async Task A_look_back_that_stands_behind_the_mark_makes_what_goes_a_loss()
    {
        await using EmbeddedLogStore store = await OpenWithDaysAsync(3);
        string id = store.Dns().Id;
        var limits = new RetentionLimits(DateTimeOffset.MinValue, 0, new Dictionary<string, Position> { [id] = await store.HeadAsync() })
        {
            LookBacks = new Dictionary<string, Position> { [id] = new Position(1, 0) },
        };
        await store.RetainAsync(limits, CancellationToken.None);
        Assert.Equal(2, await store.LostAsync(store.Dns(), CancellationToken.None));
    }

    [Fact]
    public async Task A_ledger_of_the_first_version_gets_its_losses_from_the_marks()
    {
        EmbeddedLogStore store = await OpenWithDaysAsync(3);
        string id = store.Dns().Id;
        await store.RetainAsync(DateTimeOffset.MinValue, Position.BeforeAll, most: 0);
        await store.DisposeAsync();
        // As the first version wrote it.
        _files.Replace("dns/ledger", _ => LedgerTests.Sealed("threatfeeds segments 1\n" + string.Concat(Enumerable.Range(1, 3).Select(n => $"deleted {n} 1 {_clock.GetUtcNow().UtcTicks}\n"))));
        for (int start = 0; start < 2; start++)
        {
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock, floors: new() { [id] = new Position(1, 0) });
            Assert.Equal(2, await again.LostAsync(again.Dns(), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_key_is_forgotten_with_its_records()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddWithKeyAsync("k", "a");
        await store.RetainAsync(Before, Position.BeforeAll, most: 0);
        Assert.True(await store.AddWithKeyAsync("k", "a"));
    }

    [Fact]
    public async Task A_reader_that_meets_deletion_passes_over_what_went()
    {
        await using EmbeddedLogStore store = await OpenWithDaysAsync(4);
        Position head = await store.HeadAsync();
        var seen = new List<Position>();
        bool deleted = false;
        Position at = await store.ReadAsync(store.Dns(), Position.BeforeAll, head, r =>
        {
            seen.Add(r.Position);
            if (!deleted)
            {
                deleted = true;
                // Runs to its end on the writing loop while this reader stands still.
                Assert.True(((IAsyncResult)store.RetainAsync(Before, Position.BeforeAll, most: 0)).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(30)));
            }
            return true;
        }, CancellationToken.None);
        Assert.Equal(head, at);
        Assert.Single(seen);
    }

    private async Task<EmbeddedLogStore> OpenWithDaysAsync(int days)
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        for (int day = 0; day < days; day++)
        {
            if (day > 0)
            {
                _clock.Advance(TimeSpan.FromDays(1));
            }
            await store.AddAsync($"{day}");
        }
        return store;
    }
}
