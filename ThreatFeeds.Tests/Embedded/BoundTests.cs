using System.Text;
using System.Runtime.InteropServices;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>What the store holds in memory and does at once is bounded in bytes.</summary>
public sealed class BoundTests
{
    [Fact]
    public async Task A_batch_of_values_ends_at_a_mebibyte_however_many_records_were_asked_for()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        await store.AddAsync([.. Enumerable.Range(0, 5).Select(i => $$"""{"qname":"{{new string((char)('a' + i), 600_000)}}","end_time":1}""")]);
        var batches = new List<int>();
        await store.ReadValuesAsync(store.Dns(), Position.BeforeAll, await store.HeadAsync(), 1_000, batch =>
        {
            batches.Add(batch.Records);
            return true;
        }, default);
        Assert.Equal([2, 2, 1], batches);
    }

    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Fact]
    public async Task Batches_beyond_the_bytes_that_may_wait_are_refused_as_busy_and_later_taken()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock, options: o => o with { WaitingBytes = 3000 });
        await store.AddAsync("first");
        using var entered = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        store.Appended += _ =>
        {
            entered.Release();
            go.Wait(TimeSpan.FromSeconds(30));
        };
        // Longer than what may wait, but alone.
        Task<bool> held = store.AddAsync(new string('x', 4000));
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(30)), "the wait was in vain");
        await held;
        string kilobyte = new('y', 1000);
        Task<bool>[] waiting = [store.AddAsync(kilobyte), store.AddAsync(kilobyte)];
        LogStoreException busy = await Assert.ThrowsAsync<LogStoreException>(() => store.AddAsync(kilobyte));
        Assert.True(busy.Busy);
        Assert.False(busy.Full);
        go.Set();
        await Task.WhenAll(waiting);
        Assert.True(await store.AddAsync(kilobyte));
        Assert.Equal(5, (await store.LinesAsync()).Count);
    }

    [Fact]
    public async Task A_batch_cancelled_while_it_waits_makes_room_again()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock, options: o => o with { WaitingBytes = 1500 });
        using var entered = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        store.Appended += _ =>
        {
            entered.Release();
            go.Wait(TimeSpan.FromSeconds(30));
        };
        await store.AddAsync("held");
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(30)), "the wait was in vain");
        using var cancel = new CancellationTokenSource();
        var batch = new LogBatch(LogKind.Dns, "calico", [new byte[1000]], null);
        Task<AppendResult> waiting = store.AppendAsync(batch, cancel.Token);
        await Assert.ThrowsAsync<LogStoreException>(() => store.AppendAsync(batch, CancellationToken.None));
        await cancel.CancelAsync();
        go.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(AppendResult.Stored, await store.AppendAsync(batch, CancellationToken.None));
    }

    [Fact]
    public async Task Many_records_are_found_with_one_read_of_each_frame()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock, segmentBytes: 400_000);
        // Frames longer than what is read at once.
        for (int frame = 0; frame < 10; frame++)
        {
            await store.AddAsync([.. Enumerable.Range(0, 100).Select(i => $"{frame}-{i}-{new string('x', 1000)}")]);
        }
        List<(Position Position, string Line)> all = await store.ReadAsync();
        string id = store.Dns().Id;
        RecordPlace[] places = [.. all.Where((_, i) => i % 2 == 0).Select(r => new RecordPlace(id, r.Position)).Reverse(), new(id, new Position(99, 0)), new(id, new Position(1, 5000)), new("nobody", new Position(1, 0))];
        _files.Reads = 0;
        FoundRecords found = await store.FindAsync(places, long.MaxValue, CancellationToken.None);
        Assert.Equal(10, _files.Reads);
        Assert.Equal((503, 500), (found.Passed, found.Records.Count));
        Assert.All(all.Where((_, i) => i % 2 == 0), r => Assert.Equal(r.Line, Encoding.UTF8.GetString(found.Records[new RecordPlace(id, r.Position)].Line.Span)));

        // Those with room only, from the newest on as a page of hits asks for them: three frames hold them.
        _files.Reads = 0;
        found = await store.FindAsync(places, 130_000, CancellationToken.None);
        Assert.Equal(3, _files.Reads);
        Assert.InRange(found.Records.Values.Sum(r => r.Line.Length), 128_000, 130_000);
        Assert.Equal(places[..found.Passed].ToHashSet(), [.. found.Records.Keys]);
    }

    [Fact]
    public async Task What_is_held_while_long_records_are_found_is_bounded_whatever_is_asked_for()
    {
        const int records = 24;
        using var folder = new Support.TemporaryFolder();
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path);
        string line = new('x', 1 << 20);
        for (int i = 0; i < records; i++)
        {
            await store.AddAsync(line);
        }
        string id = store.Dns().Id;
        RecordPlace[] places = [.. Enumerable.Range(0, records).Select(i => new RecordPlace(id, new Position(1, i)))];
        FoundRecords found = await store.FindAsync(places, 3 << 20, CancellationToken.None);
        Assert.Equal((3, 3), (found.Passed, found.Records.Count));
        // A record keeps the memory alive that its line is a part of.
        Assert.InRange(found.Records.Values.Select(r => MemoryMarshal.TryGetArray(r.Line, out ArraySegment<byte> held) ? held.Array! : []).Distinct().Sum(a => (long)a.Length), 3 << 20, 4 << 20);
    }

    [Fact]
    public async Task Lengths_of_lines_that_do_not_fit_their_frame_are_damage_though_the_checksum_is_right()
    {
        byte[] frame = Frame.Encode(new LogBatch(LogKind.Dns, "calico", ["one"u8.ToArray(), "two"u8.ToArray()], null));
        foreach (int length in (int[])[int.MaxValue, -1, 2, 4, 10, 11])
        {
            byte[] wrong = [.. frame];
            BitConverter.TryWriteBytes(wrong.AsSpan(Frame.HeaderBytes + 6), length);
            Frame.Seal(wrong, _clock.GetUtcNow(), 0);
            Frame.TryReadHeader(wrong, out FrameHeader header);
            Assert.False(Frame.LinesFit(wrong, header), $"{length}");
        }
        var files = new ForgetfulFiles(1);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("one", "two");
        files.Rewrite("1.seg", bytes =>
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(Segment.HeaderBytes + Frame.HeaderBytes + 6), 1 << 30);
            Frame.Seal(bytes.AsSpan(Segment.HeaderBytes), _clock.GetUtcNow(), 0);
        });
        await store.AddAsync("three");
        Assert.Equal(["three"], await store.LinesAsync());
        Assert.Equal(new RangeCount(1, 2), await store.CountAsync());
        Assert.Equal(2, await store.LostAsync(store.Dns(), CancellationToken.None));
    }

    [Fact]
    public async Task A_store_over_its_bytes_says_so_when_it_gets_there()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock, options: o => o with { MaxBytes = 500 });
        int said = 0;
        store.Overfull += () => said++;
        await store.AddAsync(new string('x', 300));
        Assert.Equal(0, said);
        await store.AddAsync(new string('x', 300));
        // Said on the writing loop after the answer; what follows on that loop comes later.
        await store.RetainAsync(DateTimeOffset.MinValue, Position.BeforeAll);
        Assert.Equal(1, said);
    }
}
