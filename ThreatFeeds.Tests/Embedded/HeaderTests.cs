using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>What a damaged frame says of itself is believed no further than what was acknowledged, and never stops the writing.</summary>
public sealed class HeaderTests
{
    private const int Length = 0;
    private const int Count = 8;
    private const int Arrival = 12;

    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    public async Task A_frame_that_claims_more_records_than_were_acknowledged_loses_its_own_alone(bool closed, int frame)
    {
        await ThreeAsync(closed);
        Position head = new(1, 2);
        // Room for so many lines there would be.
        Change(frame, bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes[Count..], 2000));
        for (int start = 0; start < 2; start++)
        {
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
            Assert.Equal(new[] { "a", "b", "c" }.Where((_, i) => i != frame), (await again.LinesAsync()).Select(l => l.TrimEnd('x')));
            Assert.Equal(new RangeCount(2, 1), await again.CountAsync());
            Assert.Equal(1, await again.LostAsync(again.Dns(), CancellationToken.None));
            Assert.Equal(head, await again.HeadAsync());
        }
    }

    [Fact]
    public async Task A_damaged_time_of_arrival_is_nobody_s_newest()
    {
        await ThreeAsync(closed: false);
        DateTimeOffset arrived = _clock.GetUtcNow();
        Change(1, bytes => BinaryPrimitives.WriteInt64LittleEndian(bytes[Arrival..], DateTimeOffset.MaxValue.Ticks - 1));
        _clock.Advance(TimeSpan.FromDays(10));
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal(arrived, await again.LastReceivedAtAsync(again.Dns(), CancellationToken.None));
        Assert.Equal(3, await again.RetainAsync(_clock.GetUtcNow() - TimeSpan.FromDays(8), new Position(1, 2)));
    }

    [Theory]
    [InlineData(Length, 1 << 20)]
    [InlineData(Length, -1)]
    [InlineData(Length, 10)]
    [InlineData(28, 200)]
    public async Task A_batch_under_the_key_of_a_damaged_frame_is_stored_and_writing_goes_on(int at, int value)
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddWithKeyAsync("k", "one", "two");
        // The length stands before what the checksum covers.
        _files.Rewrite("1.seg", bytes =>
        {
            Span<byte> frame = bytes.AsSpan(Segment.HeaderBytes);
            BinaryPrimitives.WriteInt32LittleEndian(frame[at..], value);
            BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Crc32C.Of(frame[8..]));
        });
        Assert.True(await store.AddWithKeyAsync("k", "one", "two").WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(await store.AddAsync("three").WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(["one", "two", "three"], await store.LinesAsync());
    }

    [Fact]
    public async Task A_key_that_cannot_be_looked_up_refuses_its_batch_and_writing_goes_on()
    {
        var refusing = new RefusingFiles(_files);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(refusing, _clock);
        await store.AddWithKeyAsync("k", "one");
        refusing.Refuse = true;
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "one").WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(await store.AddAsync("two").WaitAsync(TimeSpan.FromSeconds(30)));
        refusing.Refuse = false;
        // Whether it is a repetition is answered as soon as that can be known.
        Assert.False(await store.AddWithKeyAsync("k", "one"));
        Assert.Equal(["one", "two"], await store.LinesAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Damage_of_many_frames_is_noted_together_and_counts_once(int step)
    {
        const int frames = 120;
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        for (int i = 0; i < frames; i++)
        {
            await store.AddAsync($"{i:D3}");
        }
        await store.DisposeAsync();
        int length = Frame.LengthOf(new LogBatch(LogKind.Dns, "calico", [new byte[3]], null));
        _files.Rewrite("1.seg", bytes =>
        {
            for (int i = 0; i < frames; i += step)
            {
                bytes[Segment.HeaderBytes + (i * length) + length - 1] ^= 0x40;
            }
        });
        for (int start = 0; start < 2; start++)
        {
            await using EmbeddedLogStore again = await StoreFixture.OpenAsync(_files, _clock);
            int before = _files.Syncs;
            Assert.Equal(frames - (frames / step), (await again.LinesAsync()).Count);
            Assert.InRange(_files.Syncs - before, 0, 1 - start);
            Assert.Equal(frames / step, await again.LostAsync(again.Dns(), CancellationToken.None));
            Assert.Equal(new RangeCount(frames - (frames / step), frames / step), await again.CountAsync());
            string ledger = System.Text.Encoding.UTF8.GetString(_files.Bytes("dns/ledger"));
            Assert.Equal(step == 1 ? 1 : frames / step, ledger.Split('\n').Count(l => l.StartsWith("damaged", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Damage_that_is_met_while_its_segment_goes_counts_once()
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddAsync("a");
        await store.AddAsync("b");
        await store.DisposeAsync();
        _files.Damage("1.seg", Segment.HeaderBytes + Frame.HeaderBytes + 8);
        var turn = new Turn();
        store = new EmbeddedLogStore(new EmbeddedOptions("/data"), _files, new LogReaders([new CalicoReader()]), _clock, turn);
        await store.OpenAsync(StoreFixture.NoFloors, CancellationToken.None);
        // Between the damage being known and being written down, all records go.
        turn.At(nameof(EmbeddedLog.FramesDamaged), () => Assert.True(
            ((IAsyncResult)store.RetainAsync(DateTimeOffset.MinValue, Position.BeforeAll, most: 0)).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(30))));
        await store.LinesAsync();
        Assert.True(turn.Came);
        for (int start = 0; start < 2; start++)
        {
            Assert.Equal(new RangeCount(0, 2), await store.CountAsync());
            Assert.Equal(2, await store.LostAsync(store.Dns(), CancellationToken.None));
            await store.DisposeAsync();
            store = await StoreFixture.OpenAsync(_files, _clock);
        }
        await store.DisposeAsync();
    }

    [Theory]
    [InlineData(Length)]
    [InlineData(4)]
    [InlineData(Count)]
    [InlineData(Arrival)]
    [InlineData(20)]
    [InlineData(28)]
    [InlineData(30)]
    [InlineData(40)]
    public async Task A_frame_damaged_anywhere_while_the_store_is_open_loses_itself_alone(int at)
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        string pad = new('x', 300);
        for (int i = 0; i < 9; i++)
        {
            await store.AddAsync($"{i}a{pad}", $"{i}b{pad}");
        }
        int length = Frame.LengthOf(new LogBatch(LogKind.Dns, "calico", [new byte[302], new byte[302]], null));
        _files.Damage("1.seg", Segment.HeaderBytes + (4 * length) + at);
        // Met from the middle first, so that it is passed over before it is read.
        LogSource source = store.Dns();
        var behind = new List<string>();
        await store.ReadAsync(source, new Position(1, 12), new Position(1, 17), r => Add(behind, r), CancellationToken.None);
        Assert.Equal(["6b", "7a", "7b", "8a", "8b"], behind);
        Assert.Equal(
            ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "5a", "5b", "6a", "6b", "7a", "7b", "8a", "8b"], (await store.LinesAsync()).Select(l => l[..2]));
        Assert.Equal(new RangeCount(16, 2), await store.CountAsync());
        Assert.Equal(2, await store.LostAsync(source, CancellationToken.None));
        Assert.Null(await store.FindAsync(source.Id, new Position(1, 9), CancellationToken.None));
        Assert.NotNull(await store.FindAsync(source.Id, new Position(1, 10), CancellationToken.None));

        static bool Add(List<string> lines, RawRecord record)
        {
            lines.Add(System.Text.Encoding.UTF8.GetString(record.Line.Span)[..2]);
            return true;
        }
    }

    [Fact]
    public void The_index_of_a_segment_grows_with_its_bytes_and_not_with_its_frames()
    {
        const int frames = 100_000;
        var segment = new Segment(1, "1.seg");
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < frames; i++)
        {
            segment.Add(new FrameHeader(100, 1, DateTimeOffset.UnixEpoch, i, 6, 0));
        }
        // Ten megabytes of frames.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 50_000);
        Assert.Equal(frames, segment.Records);
    }

    /// <summary>Three frames of one long record each.</summary>
    private async Task ThreeAsync(bool closed)
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        foreach (string line in (string[])["a", "b", "c"])
        {
            await store.AddAsync(line + new string('x', 10_000));
        }
        if (!closed)
        {
            _files.Kill();
        }
        await store.DisposeAsync();
    }

    private delegate void Changing(Span<byte> frame);

    private void Change(int frame, Changing change)
    {
        int length = Frame.LengthOf(new LogBatch(LogKind.Dns, "calico", [new byte[10_001]], null));
        _files.Rewrite("1.seg", bytes => change(bytes.AsSpan(Segment.HeaderBytes + (frame * length), length)));
    }

    /// <summary>A log whose reader does something when a message comes.</summary>
    private sealed class Turn : ILogger<EmbeddedLogStore>
    {
        private string _message = "";
        private Action _act = () => { };

        public bool Came { get; private set; }

        public void At(string message, Action act) => (_message, _act) = (message, act);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == _message)
            {
                Came = true;
                _act();
            }
        }
    }

    /// <summary>Files that nobody may read for a while.</summary>
    private sealed class RefusingFiles(IDurableFiles files) : IDurableFiles
    {
        public bool Refuse { get; set; }

        public void CreateFolder(string path) => files.CreateFolder(path);

        public IReadOnlyList<string> List(string folder) => files.List(folder);

        public bool Exists(string path) => files.Exists(path);

        public IDurableFile Create(string path) => files.Create(path);

        public IDurableFile OpenWrite(string path) => files.OpenWrite(path);

        public IDurableFile OpenRead(string path) => Refuse ? throw new UnauthorizedAccessException("Permission denied") : files.OpenRead(path);

        public void Rename(string from, string to) => files.Rename(from, to);

        public void Delete(string path) => files.Delete(path);

        public void SyncFolder(string path) => files.SyncFolder(path);

        public IDisposable? TryLock(string path) => files.TryLock(path);
    }
}
