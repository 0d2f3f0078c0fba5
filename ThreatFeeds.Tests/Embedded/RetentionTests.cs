using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
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
