using System.Text;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Ports;

/// <summary>What every adapter of <see cref="ILogStore"/> keeps. An adapter's suite inherits it.</summary>
public abstract class LogStoreContract : IAsyncLifetime
{
    private ILogStore _store = null!;

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    /// <summary>An empty store, called once by each test's initialisation.</summary>
    protected void Use(ILogStore store) => _store = store;

    private LogSource Source(LogKind kind) => _store.Sources.First(s => s.Kind == kind);

    private async Task<bool> AppendAsync(LogKind kind, string? key, params string[] lines) => AppendResult.Stored == await _store.AppendAsync(
        new LogBatch(kind, "calico", [.. lines.Select(l => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(l))], key), CancellationToken.None);

    private async Task<List<(Position Position, string Line)>> ReadAllAsync(LogKind kind, Position after)
    {
        LogSource source = Source(kind);
        Position head = await _store.HeadAsync(source, CancellationToken.None);
        var all = new List<(Position, string)>();
        await _store.ReadAsync(source, after, head, r =>
        {
            all.Add((r.Position, Encoding.UTF8.GetString(r.Line.Span)));
            return true;
        }, CancellationToken.None);
        return all;
    }

    [Fact]
    public async Task Records_come_back_as_received_and_in_order()
    {
        await AppendAsync(LogKind.Dns, null, "one", "two");
        await AppendAsync(LogKind.Flow, null, "other");
        await AppendAsync(LogKind.Dns, null, "three");
        List<(Position Position, string Line)> all = await ReadAllAsync(LogKind.Dns, Position.BeforeAll);
        Assert.Equal(["one", "two", "three"], all.Select(r => r.Line));
        Assert.True(all[0].Position < all[1].Position && all[1].Position < all[2].Position);
        Assert.Equal(await _store.HeadAsync(Source(LogKind.Dns), CancellationToken.None), all[2].Position);
        Assert.Equal(["two", "three"], (await ReadAllAsync(LogKind.Dns, all[0].Position)).Select(r => r.Line));
        Assert.Equal(["other"], (await ReadAllAsync(LogKind.Flow, Position.BeforeAll)).Select(r => r.Line));
    }

    [Fact]
    public async Task An_empty_source_has_no_head_and_no_records()
    {
        LogSource source = Source(LogKind.Dns);
        Assert.Equal(Position.BeforeAll, await _store.HeadAsync(source, CancellationToken.None));
        Assert.Empty(await ReadAllAsync(LogKind.Dns, Position.BeforeAll));
        Assert.Equal(default, await _store.CountAsync(source, Position.BeforeAll, Position.BeforeAll, CancellationToken.None));
        Assert.Null(await _store.LastReceivedAtAsync(source, CancellationToken.None));
        Assert.Null(await _store.FindAsync(source.Id, new Position(1, 0), CancellationToken.None));
        Assert.Null(await _store.FindAsync("nobody", new Position(1, 0), CancellationToken.None));
    }

    [Fact]
    public async Task A_visitor_that_stops_gets_the_position_it_stopped_at()
    {
        await AppendAsync(LogKind.Dns, null, "a", "b", "c");
        LogSource source = Source(LogKind.Dns);
        Position head = await _store.HeadAsync(source, CancellationToken.None);
        var seen = new List<string>();
        Position at = await _store.ReadAsync(source, Position.BeforeAll, head, r =>
        {
            seen.Add(Encoding.UTF8.GetString(r.Line.Span));
            return seen.Count < 2;
        }, CancellationToken.None);
        Assert.Equal(["a", "b"], seen);
        Assert.Equal(["c"], (await ReadAllAsync(LogKind.Dns, at)).Select(r => r.Line));
        Assert.Equal(head, await _store.ReadAsync(source, at, head, _ => true, CancellationToken.None));
    }

    [Fact]
    public async Task A_read_beyond_the_head_goes_to_the_head_and_says_so()
    {
        await AppendAsync(LogKind.Dns, null, "a", "b");
        Position head = await _store.HeadAsync(Source(LogKind.Dns), CancellationToken.None);
        Position beyond = new(head.Segment + 5, 7);
        int read = 0;
        Position passed = await _store.ReadAsync(Source(LogKind.Dns), Position.BeforeAll, beyond, _ => ++read > 0, CancellationToken.None);
        Assert.Equal((head, 2), (passed, read));
        // What arrives later stands behind the answer.
        await AppendAsync(LogKind.Dns, null, "c");
        Assert.Equal(["c"], (await ReadAllAsync(LogKind.Dns, passed)).Select(r => r.Line));
    }

    [Fact]
    public async Task Values_come_in_batches_of_at_most_as_many_records_as_were_asked_for()
    {
        await AppendAsync(LogKind.Dns, null, [.. Enumerable.Range(0, 5).Select(i => $"{{\"qname\":\"n{i}.example\",\"end_time\":1}}")]);
        var sizes = new List<int>();
        var names = new List<string>();
        LogSource source = Source(LogKind.Dns);
        Position head = await _store.HeadAsync(source, CancellationToken.None);
        Position passed = await _store.ReadValuesAsync(source, Position.BeforeAll, head, 2, batch =>
        {
            sizes.Add(batch.Records);
            foreach (SearchedValue value in batch.Values)
            {
                names.Add(Encoding.UTF8.GetString(batch.TextOf(value)));
            }
            return true;
        }, CancellationToken.None);
        Assert.Equal(head, passed);
        Assert.Equal([2, 2, 1], sizes);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"n{i}.example"), names);
    }

    [Fact]
    public async Task Counting_any_range_agrees_with_reading_it()
    {
        await AppendAsync(LogKind.Flow, null, "a", "b", "c");
        await AppendAsync(LogKind.Flow, null, "d", "e");
        LogSource source = Source(LogKind.Flow);
        List<Position> places = [Position.BeforeAll, .. (await ReadAllAsync(LogKind.Flow, Position.BeforeAll)).Select(r => r.Position)];
        for (int from = 0; from < places.Count; from++)
        {
            for (int to = from; to < places.Count; to++)
            {
                RangeCount count = await _store.CountAsync(source, places[from], places[to], CancellationToken.None);
                Assert.Equal(new RangeCount(to - from, 0), count);
                int read = 0;
                await _store.ReadAsync(source, places[from], places[to], _ => ++read > 0, CancellationToken.None);
                Assert.Equal(to - from, read);
            }
        }
    }

    [Fact]
    public async Task A_record_is_found_by_its_position()
    {
        await AppendAsync(LogKind.Dns, null, "a", "b", "c");
        foreach ((Position position, string line) in await ReadAllAsync(LogKind.Dns, Position.BeforeAll))
        {
            RawRecord? found = await _store.FindAsync(Source(LogKind.Dns).Id, position, CancellationToken.None);
            Assert.Equal(line, Encoding.UTF8.GetString(found!.Value.Line.Span));
            Assert.Equal("calico", found.Value.Format);
            Assert.Equal(position, found.Value.Position);
        }
    }

    [Fact]
    public async Task A_key_stored_before_is_not_stored_again()
    {
        Assert.True(await AppendAsync(LogKind.Dns, "k1", "a"));
        Assert.False(await AppendAsync(LogKind.Dns, "k1", "a"));
        Assert.True(await AppendAsync(LogKind.Dns, "k2", "a"));
        Assert.Equal(2, (await ReadAllAsync(LogKind.Dns, Position.BeforeAll)).Count);
    }

    [Fact]
    public async Task Another_batch_under_a_key_is_refused_and_not_stored()
    {
        Assert.True(await AppendAsync(LogKind.Dns, "k", "a", "b"));
        await Assert.ThrowsAsync<KeyReusedException>(() => AppendAsync(LogKind.Dns, "k", "a", "c"));
        await Assert.ThrowsAsync<KeyReusedException>(() => AppendAsync(LogKind.Dns, "k", "a"));
        Assert.Equal(["a", "b"], (await ReadAllAsync(LogKind.Dns, Position.BeforeAll)).Select(r => r.Line));
    }

    [Fact]
    public async Task Many_records_are_found_at_once_and_missing_ones_are_absent()
    {
        await AppendAsync(LogKind.Dns, null, "a", "b", "c");
        await AppendAsync(LogKind.Flow, null, "d");
        (Position Position, string Line)[] dns = [.. await ReadAllAsync(LogKind.Dns, Position.BeforeAll)];
        (Position Position, string Line) flow = (await ReadAllAsync(LogKind.Flow, Position.BeforeAll))[0];
        RecordPlace[] places =
        [
            new(Source(LogKind.Dns).Id, dns[2].Position), new(Source(LogKind.Dns).Id, dns[0].Position), new(Source(LogKind.Flow).Id, flow.Position),
            new(Source(LogKind.Dns).Id, dns[0].Position), new(Source(LogKind.Dns).Id, new Position(dns[2].Position.Segment, dns[2].Position.Ordinal + 1)), new("nobody", dns[0].Position),
        ];
        FoundRecords found = await _store.FindAsync(places, 1000, CancellationToken.None);
        Assert.Equal((places.Length, 3), (found.Passed, found.Records.Count));
        Assert.Equal(["c", "a", "d"], places.Take(3).Select(p => Encoding.UTF8.GetString(found.Records[p].Line.Span)));
        Assert.Equal(0, await _store.LostAsync(Source(LogKind.Dns), CancellationToken.None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(250)]
    [InlineData(100_000)]
    public async Task Records_are_found_in_the_order_asked_for_as_far_as_there_is_room_and_at_least_one(long room)
    {
        var random = new Random(7);
        string[] lines = [.. Enumerable.Range(0, 40).Select(i => $"{i}-{new string('x', random.Next(120))}")];
        foreach (string[] batch in lines.Chunk(3))
        {
            await AppendAsync(LogKind.Dns, null, batch);
        }
        (Position Position, string Line)[] all = [.. await ReadAllAsync(LogKind.Dns, Position.BeforeAll)];
        string id = Source(LogKind.Dns).Id;
        RecordPlace missing = new(id, new Position(all[^1].Position.Segment, all[^1].Position.Ordinal + 9));
        RecordPlace[] places = [missing, .. all.Concat(all.Take(5)).Select(r => new RecordPlace(id, r.Position)), missing];
        random.Shuffle(places);
        var heard = new List<string?>();
        for (RecordPlace[] left = places; left.Length > 0;)
        {
            FoundRecords found = await _store.FindAsync(left, room, CancellationToken.None);
            Assert.InRange(found.Passed, 1, left.Length);
            long bytes = found.Records.Values.Sum(r => (long)r.Line.Length);
            Assert.True(bytes <= room || found.Records.Count == 1, $"{found.Records.Count} records of {bytes} bytes");
            // No fewer than there was room for.
            if (found.Passed < left.Length)
            {
                string next = all.Single(r => r.Position == left[found.Passed].Position).Line;
                Assert.True(bytes + next.Length > room, "there was room for one more");
            }
            heard.AddRange(left[..found.Passed].Select(p => found.Records.TryGetValue(p, out RawRecord record) ? Encoding.UTF8.GetString(record.Line.Span) : null));
            left = left[found.Passed..];
        }
        Assert.Equal(places.Select(p => all.Where(r => r.Position == p.Position).Select(r => r.Line).FirstOrDefault()), heard);
    }

    [Fact]
    public async Task Concurrent_batches_with_one_key_are_stored_once()
    {
        bool[] stored = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AppendAsync(LogKind.Dns, "same", "a", "b")));
        Assert.Single(stored, s => s);
        Assert.Equal(2, (await ReadAllAsync(LogKind.Dns, Position.BeforeAll)).Count);
    }

    [Fact]
    public async Task Concurrent_batches_stay_together()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AppendAsync(LogKind.Dns, null, $"{i}-0", $"{i}-1", $"{i}-2")));
        List<string> lines = [.. (await ReadAllAsync(LogKind.Dns, Position.BeforeAll)).Select(r => r.Line)];
        Assert.Equal(150, lines.Distinct().Count());
        for (int i = 0; i < lines.Count; i += 3)
        {
            string batch = lines[i].Split('-')[0];
            Assert.Equal([$"{batch}-0", $"{batch}-1", $"{batch}-2"], lines.GetRange(i, 3));
        }
    }

    [Fact]
    public async Task Those_who_wait_hear_of_records_that_can_be_read()
    {
        var heard = new TaskCompletionSource<LogSource>(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Appended += s => heard.TrySetResult(s);
        await AppendAsync(LogKind.Flow, null, "a");
        Assert.Equal(Source(LogKind.Flow), await heard.Task);
        Assert.NotNull(await _store.LastReceivedAtAsync(Source(LogKind.Flow), CancellationToken.None));
    }
}
