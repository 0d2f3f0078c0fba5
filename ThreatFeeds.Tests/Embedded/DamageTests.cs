using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Acknowledged records whose file was damaged or taken away: they count as deleted, and nothing waits for them.</summary>
public sealed class DamageTests
{
    [Fact]
    public async Task A_file_that_somebody_took_away_is_a_failure_and_not_records_that_were_passed()
    {
        var files = new ForgetfulFiles(1);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, TimeProvider.System);
        await store.AddAsync("a", "b");
        files.Lose(".seg");
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => store.ReadAsync());
        Assert.Contains("1.seg cannot be read", e.Message, StringComparison.Ordinal);
    }

    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_cut_off_an_acknowledged_segment_are_counted(bool closed)
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a");
        await store.AddAsync("b", "b");
        Position head = await store.HeadAsync();
        await EndAsync(store, closed);
        _files.Cut("1.seg", length => length - 3);
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(["a"], await again.LinesAsync());
        Assert.Equal(head, await again.HeadAsync());
        Assert.Equal(new RangeCount(1, 2), await again.CountAsync());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_newest_segment_that_is_gone_or_empty_is_counted(bool closed, bool empty)
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a", "b");
        Position head = await store.HeadAsync();
        await EndAsync(store, closed);
        if (empty)
        {
            _files.Cut("1.seg", _ => 0);
        }
        else
        {
            _files.Lose("1.seg");
        }
        await using EmbeddedLogStore again = await OpenAsync();
        await again.AddAsync("c");
        Assert.Equal(["c"], await again.LinesAsync());
        Assert.True(await again.HeadAsync() > head);
        Assert.Equal(new RangeCount(1, 2), await again.CountAsync());
    }

    [Fact]
    public async Task A_segment_that_is_gone_after_an_orderly_end_is_counted_by_the_ledger_alone()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a", "b");
        await store.DisposeAsync();
        _files.Lose("acknowledged");
        _files.Lose("1.seg");
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(new RangeCount(0, 2), await again.CountAsync());
    }

    [Fact]
    public async Task An_orderly_end_is_remembered_though_the_machine_crashes_right_after_it()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a", "b");
        await store.DisposeAsync();
        _files.Crash();
        _files.Lose("acknowledged");
        _files.Lose("1.seg");
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(new RangeCount(0, 2), await again.CountAsync());
    }

    [Fact]
    public async Task A_damaged_note_of_what_was_acknowledged_is_not_believed_and_the_one_before_holds()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a");
        await store.AddAsync("b");
        await EndAsync(store, closed: false);
        // The second of two notes stands in the first place: its number of records.
        _files.Damage("dns/acknowledged", 24);
        _files.Cut("1.seg", _ => Segment.HeaderBytes + 4);
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Empty(await again.LinesAsync());
        Assert.Equal(1, await again.LostAsync(again.Dns(), CancellationToken.None));
    }

    [Fact]
    public async Task A_frame_damaged_before_its_segment_was_sealed_loses_only_itself()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a");
        await store.AddAsync("b", "b");
        await store.AddAsync("c");
        await EndAsync(store, closed: false);
        _files.Damage("1.seg", Segment.HeaderBytes + (Frame.HeaderBytes + 6 + 4 + 1) + Frame.HeaderBytes + 8);
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(["a", "c"], await again.LinesAsync());
        Assert.Equal(new RangeCount(2, 2), await again.CountAsync());
    }

    [Fact]
    public async Task Nothing_is_read_again_at_or_before_a_stored_mark()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a", "b");
        string id = store.Dns().Id;
        await store.DisposeAsync();
        // A folder older than the marks.
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock, floors: new() { [id] = new Position(3, 4) });
        Assert.Equal(new Position(3, 4), await again.ReadAsync(again.Dns(), Position.BeforeAll, new Position(3, 4), _ => true, CancellationToken.None));
    }

    private Task<EmbeddedLogStore> OpenAsync() => StoreFixture.OpenAsync(_files, _clock);

    /// <summary>An orderly end, or one in which the machine goes on and the process does not.</summary>
    private async Task EndAsync(EmbeddedLogStore store, bool closed)
    {
        if (!closed)
        {
            _files.Kill();
        }
        await store.DisposeAsync();
    }
}
