using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>What a disk cannot give: waited for first, given up at last, and never a reason not to start.</summary>
public sealed class UnreadableTests
{
    private static readonly int s_frame = Frame.LengthOf(new LogBatch(LogKind.Dns, "calico", [new byte[10_001]], null));

    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Records_that_the_disk_cannot_give_for_a_while_are_waited_for_and_none_is_lost(bool restarted)
    {
        EmbeddedLogStore store = await NineAsync();
        if (restarted)
        {
            await store.DisposeAsync();
        }
        Break(4);
        if (restarted)
        {
            store = await OpenAsync();
        }
        await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        _clock.Advance(ReadFaults.GivenUpAfter - TimeSpan.FromSeconds(1));
        LogStoreException said = await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        Assert.Contains("00000001.seg", said.Message, StringComparison.Ordinal);
        Assert.Equal(new RangeCount(9, 0), await store.CountAsync());
        _files.Mend("1.seg");
        Assert.Equal(9, (await store.LinesAsync()).Count);
        Assert.Equal(0, await store.LostAsync(store.Dns(), CancellationToken.None));
        await store.DisposeAsync();
    }

    [Theory]
    [InlineData(true, true, 0)]
    [InlineData(true, true, 5000)]
    [InlineData(true, false, 0)]
    [InlineData(true, false, 5000)]
    [InlineData(false, true, 0)]
    [InlineData(false, true, 5000)]
    public async Task Records_that_the_disk_never_gives_are_given_up_and_counted_and_those_around_them_are_read(bool restarted, bool closed, int at)
    {
        // A page that begins a frame has the end of the one before, too.
        string[] left = at == 0 ? ["0", "1", "2", "5", "6", "7", "8"] : ["0", "1", "2", "3", "5", "6", "7", "8"];
        EmbeddedLogStore store = await NineAsync();
        if (restarted)
        {
            if (!closed)
            {
                _files.Kill();
            }
            await store.DisposeAsync();
        }
        Break(4, at);
        if (restarted)
        {
            store = await OpenAsync();
        }
        await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        _clock.Advance(ReadFaults.GivenUpAfter);
        for (int start = 0; start < 2; start++)
        {
            // The second start waits for nothing: what is lost is known.
            Assert.Equal(left, (await store.LinesAsync()).Select(l => l[..1]));
            Assert.Equal(new RangeCount(left.Length, 9 - left.Length), await store.CountAsync());
            Assert.Equal(9 - left.Length, await store.LostAsync(store.Dns(), CancellationToken.None));
            Assert.Equal(new Position(1, 8), await store.HeadAsync());
            await store.DisposeAsync();
            store = await OpenAsync();
        }
        await store.AddAsync("more");
        Assert.Equal("more", (await store.LinesAsync())[^1]);
        await store.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_segment_that_does_not_open_stops_neither_the_start_nor_what_comes_after_it(bool mended)
    {
        EmbeddedLogStore store = await NineAsync();
        await store.DisposeAsync();
        _files.Break("1.seg", -1, long.MaxValue);
        store = await OpenAsync();
        await store.AddAsync("new");
        Assert.Equal(new RangeCount(10, 0), await store.CountAsync());
        await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        // Retention lets it be as well.
        Assert.Equal(0, await store.RetainAsync(_clock.GetUtcNow().AddDays(-8), new Position(1, 8)));
        if (mended)
        {
            _files.Mend("1.seg");
        }
        _clock.Advance(ReadFaults.GivenUpAfter);
        Assert.Equal(mended ? 10 : 1, (await store.LinesAsync()).Count);
        Assert.Equal(mended ? 0 : 9, await store.LostAsync(store.Dns(), CancellationToken.None));
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_given_up_while_the_disk_takes_nothing_either()
    {
        EmbeddedLogStore store = await NineAsync();
        Break(4);
        await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        _clock.Advance(ReadFaults.GivenUpAfter);
        _files.StandStillAfter(0);
        await Assert.ThrowsAsync<LogStoreException>(store.LinesAsync);
        Assert.Equal(0, await store.LostAsync(store.Dns(), CancellationToken.None));
        _files.Crash();
        _files.Mend("1.seg");
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(9, (await again.LinesAsync()).Count);
    }

    [Fact]
    public async Task A_batch_under_a_key_that_the_disk_cannot_give_now_is_refused_and_stored_once_it_is_given_up()
    {
        await using EmbeddedLogStore store = await OpenAsync();
        await store.AddWithKeyAsync("k", "one");
        _files.Break("1.seg", 0, 4096);
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "one"));
        _files.Mend("1.seg");
        Assert.False(await store.AddWithKeyAsync("k", "one"));
        _files.Break("1.seg", 0, 4096);
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "one"));
        _clock.Advance(ReadFaults.GivenUpAfter);
        Assert.True(await store.AddWithKeyAsync("k", "one"));
    }

    private Task<EmbeddedLogStore> OpenAsync() => StoreFixture.OpenAsync(_files, _clock);

    /// <summary>Nine frames of one long record each.</summary>
    private async Task<EmbeddedLogStore> NineAsync()
    {
        EmbeddedLogStore store = await OpenAsync();
        for (int i = 0; i < 9; i++)
        {
            await store.AddAsync(i + new string('x', 10_000));
        }
        return store;
    }

    /// <summary>A few bytes of a frame; the disk gives whole pages or none.</summary>
    private void Break(int frame, int offset = 0)
    {
        int at = Segment.HeaderBytes + (frame * s_frame) + offset;
        _files.Break("1.seg", at, at + Frame.HeaderBytes);
    }
}
