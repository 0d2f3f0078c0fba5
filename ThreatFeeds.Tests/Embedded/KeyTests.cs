using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Idempotency keys: the same records are stored once, others under the same key are refused, and nothing that was not stored leaves a key behind.</summary>
public sealed class KeyTests
{
    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Fact]
    public async Task A_failed_sync_leaves_no_key_behind()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a");
        _files.FailingSyncs = 1;
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "lost"));
        // The frame stands in the file behind the acknowledged length; neither now nor after a start may its key count.
        await store.AddAsync("c");
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.True(await again.AddWithKeyAsync("k", "lost"));
        Assert.Equal(["a", "c", "lost"], await again.LinesAsync());
    }

    [Fact]
    public void A_key_used_anew_outlives_the_segment_it_was_used_in_first_and_costs_its_bytes_once()
    {
        var memory = new KeyMemory(1_000);
        memory.Set("k", 1, new FramePlace(Segment.HeaderBytes, 100));
        long one = memory.Bytes;
        memory.Set("k", 2, new FramePlace(Segment.HeaderBytes, 100));
        memory.Forget([1]);
        Assert.True(memory.TryGet("k", out KeyPlace place));
        Assert.Equal((2, one), (place.Segment, memory.Bytes));
        memory.Forget([2]);
        Assert.False(memory.TryGet("k", out _));
        Assert.Equal(0, memory.Bytes);
    }

    [Fact]
    public async Task A_torn_frame_leaves_no_key_behind()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("a");
        _files.FailingSyncs = 1;
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "lost"));
        _files.Kill();
        await store.DisposeAsync();
        // Its last byte never came right to the disk.
        _files.Damage("1.seg", Segment.HeaderBytes + Frame.HeaderBytes + 6 + 4 + 1 + Frame.HeaderBytes + 6 + 1 + 4 + 3);
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.Equal(["a"], await again.LinesAsync());
        Assert.True(await again.AddWithKeyAsync("k", "lost"));
        Assert.Equal(["a", "lost"], await again.LinesAsync());
        Assert.Equal(new RangeCount(2, 0), await again.CountAsync());
    }

    [Fact]
    public async Task Another_body_under_a_key_in_the_same_sync_is_refused_and_the_first_stored()
    {
        await using EmbeddedLogStore store = await OpenAsync();
        await store.AddAsync("first");
        using var entered = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        store.Appended += _ =>
        {
            entered.Release();
            go.Wait(TimeSpan.FromSeconds(30));
        };
        Task<bool> held = store.AddAsync("held");
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(30)), "the wait was in vain");
        Task<bool> one = store.AddWithKeyAsync("k", "one");
        Task<bool> same = store.AddWithKeyAsync("k", "one");
        Task<bool> other = store.AddWithKeyAsync("k", "two");
        go.Set();
        await held;
        Assert.True(await one);
        Assert.False(await same);
        await Assert.ThrowsAsync<KeyReusedException>(() => other);
        Assert.Equal(["first", "held", "one"], await store.LinesAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restart_still_tells_a_repeated_body_from_another(bool closed)
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddWithKeyAsync("k", "one", "two");
        if (!closed)
        {
            _files.Kill();
        }
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.False(await again.AddWithKeyAsync("k", "one", "two"));
        await Assert.ThrowsAsync<KeyReusedException>(() => again.AddWithKeyAsync("k", "onetwo"));
        await Assert.ThrowsAsync<KeyReusedException>(() => again.AddWithKeyAsync("k", "one"));
        Assert.Equal(["one", "two"], await again.LinesAsync());
    }

    [Fact]
    public async Task Records_that_damage_took_can_be_sent_again_under_their_key()
    {
        EmbeddedLogStore store = await OpenAsync();
        await store.AddWithKeyAsync("k", "one");
        await store.DisposeAsync();
        _files.Damage("1.seg", Segment.HeaderBytes + Frame.HeaderBytes + 6 + 1 + 4 + 1);
        await using EmbeddedLogStore again = await OpenAsync();
        Assert.True(await again.AddWithKeyAsync("k", "one"));
        Assert.False(await again.AddWithKeyAsync("k", "one"));
        Assert.Equal(["one"], await again.LinesAsync());
    }

    [Fact]
    public async Task Keys_are_bounded_in_bytes_and_the_oldest_forgotten_first_also_by_a_restart()
    {
        // Room for three keys of two characters.
        const long room = 3 * (112 + 4);
        EmbeddedLogStore store = await OpenAsync(room);
        for (int i = 0; i < 5; i++)
        {
            await store.AddWithKeyAsync($"k{i}", "x");
        }
        Assert.False(await store.AddWithKeyAsync("k4", "x"));
        Assert.False(await store.AddWithKeyAsync("k2", "x"));
        Assert.True(await store.AddWithKeyAsync("k1", "x"));
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await OpenAsync(room);
        Assert.False(await again.AddWithKeyAsync("k1", "x"));
        Assert.False(await again.AddWithKeyAsync("k4", "x"));
        Assert.True(await again.AddWithKeyAsync("k2", "x"));
    }

    private Task<EmbeddedLogStore> OpenAsync(long keyBytes = 64L << 20) => StoreFixture.OpenAsync(_files, _clock, options: o => o with { KeyBytes = keyBytes });
}
