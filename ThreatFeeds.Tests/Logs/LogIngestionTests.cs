using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using ThreatFeeds.Actors;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Tests.Embedded;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

public sealed class LogIngestionTests
{
    private static readonly LogReaders Readers = new([new CalicoReader()]);

    /// <summary>Records measured by the test at work.</summary>
    private static readonly AsyncLocal<List<(string Outcome, long Records)>?> _received = new();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65536)]
    public async Task Lines_are_the_same_however_the_body_is_cut(int chunk)
    {
        string body = "\uFEFF{\"qname\":\"a\",\"end_time\":1}\r\n\r\n  \n{\"qname\":\"b\",\"end_time\":1}\nbroken\n{\"qname\":\"é\",\"end_time\":1}";
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "Calico", Bodies.Cut(Encoding.UTF8.GetBytes(body), chunk), null, Actor.Local, CancellationToken.None);
        Assert.Equal((3, 1), (answer.Accepted, answer.Refused));
        Assert.Equal(5, Assert.Single(answer.Refusals).Line);
        Assert.Equal(["{\"qname\":\"a\",\"end_time\":1}", "{\"qname\":\"b\",\"end_time\":1}", "{\"qname\":\"é\",\"end_time\":1}"], await store.LinesAsync());
    }

    [Fact]
    public async Task A_body_that_is_sent_again_is_counted_once()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument == Meters.RecordsReceived) { l.EnableMeasurementEvents(instrument); } } };
        // Called where it is measured: what other tests measure meanwhile stays theirs.
        listener.SetMeasurementEventCallback<long>((_, records, tags, _) => _received.Value?.Add(((string)tags[0].Value!, records)));
        listener.Start();
        _received.Value = [];
        for (int attempt = 0; attempt < 2; attempt++)
        {
            Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(
                LogKind.Dns, "calico", Bodies.Cut(Encoding.UTF8.GetBytes("{\"qname\":\"a\",\"end_time\":1}\n{\"qname\":\"b\",\"end_time\":1}"), 999), "key", Actor.Local, CancellationToken.None);
            Assert.Equal(2, answer.Accepted);
        }
        Assert.Equal(2, _received.Value.Where(r => r.Outcome == "accepted").Sum(r => r.Records));
    }

    [Fact]
    public async Task A_hundred_refusals_are_named_and_all_are_counted()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        string body = string.Concat(Enumerable.Repeat("{}\n", 250));
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", Bodies.Cut(Encoding.UTF8.GetBytes(body), 999), null, Actor.Local, CancellationToken.None);
        Assert.Equal((0, 250, 100), (answer.Accepted, answer.Refused, answer.Refusals.Count));
        Assert.Equal(100, answer.Refusals[^1].Line);
        Assert.Empty(await store.LinesAsync());
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(999)]
    public async Task A_line_of_exactly_the_longest_length_is_taken_wherever_the_body_is_cut(int chunk)
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        string start = "{\"qname\":\"a\",\"end_time\":1,\"x\":\"";
        string line = start + new string('x', LogIngestion.LongestLine - start.Length - 2) + "\"}";
        byte[] body = Encoding.UTF8.GetBytes($"{line}\r\n{line} \n{line}");
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", Bodies.Cut(body, chunk == 999 ? chunk : body.Length), null, Actor.Local, CancellationToken.None);
        Assert.Equal((2, 1), (answer.Accepted, answer.Refused));
        Assert.Equal(2, Assert.Single(answer.Refusals).Line);
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused_and_the_others_are_kept()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        string body = $"{{\"qname\":\"{new string('x', LogIngestion.LongestLine)}\"}}\n{{\"qname\":\"b\",\"end_time\":1}}\n";
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", Bodies.Cut(Encoding.UTF8.GetBytes(body), 65536), null, Actor.Local, CancellationToken.None);
        Assert.Equal((1, 1), (answer.Accepted, answer.Refused));
        Assert.Contains("longer than", answer.Refusals[0].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1 << 16)]
    public async Task The_longest_line_is_kept_wherever_the_body_is_cut(int chunk)
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        const string frame = "{\"qname\":\"\",\"end_time\":1}";
        string longest = frame.Insert(10, new string('x', LogIngestion.LongestLine - frame.Length));
        byte[] body = Encoding.UTF8.GetBytes($"{longest}\r\n{longest.Insert(10, "x")}\r\n{longest}\n{longest.Insert(10, "x")}");
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", Bodies.Cut(body, chunk), null, Actor.Local, CancellationToken.None);
        Assert.Equal((2, "2 4"), (answer.Accepted, string.Join(' ', answer.Refusals.Select(r => r.Line))));
        Assert.All(answer.Refusals, r => Assert.Equal($"is longer than {LogIngestion.LongestLine} bytes", r.Reason));
        Assert.Equal([longest, longest], await store.LinesAsync());
    }

    [Theory]
    [InlineData("x")]
    [InlineData("{")]
    [InlineData("{\"a\":")]
    [InlineData("{\"qname\":\"a.example\",\"end_time\":1,}")]
    [InlineData("{\"qname\":\"\\ud800\",\"\\ud800name\":1}")]
    [InlineData("{\"qname\":\"a.example\",\"end_time\":\"never\"}")]
    public async Task Refused_lines_past_the_samples_cost_no_exception_and_no_string(string line)
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        const int lines = 20_000;
        byte[] body = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(line + "\n", lines)));
        var ingestion = new LogIngestion(Readers, store);
        await IngestAsync();
        int thrown = 0;
        int thread = Environment.CurrentManagedThreadId;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Task<Ingestion> whole = IngestAsync();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        AppDomain.CurrentDomain.FirstChanceException -= Count;
        Assert.True(whole.IsCompleted, "Nothing is stored, so that all of it happens on this thread.");
        Assert.Equal(lines, (await whole).Refused);
        Assert.Equal(0, thrown);
        // The hundred samples; a string or an object for each line would be 480,000 and more.
        Assert.InRange(allocated, 0, 100_000);

        Task<Ingestion> IngestAsync() => ingestion.IngestAsync(LogKind.Dns, "calico", new ReadOnlySequence<byte>(body), null, Actor.Local, CancellationToken.None);
        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;
    }

    [Fact]
    public async Task Whoever_goes_away_ends_the_judging_of_lines()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        using var gone = new CancellationTokenSource();
        var reader = new Leaving(gone);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new LogIngestion(new LogReaders([reader]), store)
            .IngestAsync(LogKind.Dns, "leaving", new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x\n", 1000)))), null, Actor.Local, gone.Token));
        Assert.Equal(3, reader.Judged);
        Assert.Empty(await store.LinesAsync());
    }

    /// <summary>Takes what it is given; at the third line its sender goes away.</summary>
    private sealed class Leaving(CancellationTokenSource gone) : ILogReader
    {
        public int Judged { get; private set; }

        public string Format => "leaving";

        public LineFault Refuse(LogKind kind, ReadOnlySpan<byte> line)
        {
            if (++Judged == 3)
            {
                gone.Cancel();
            }
            return default;
        }

        public void ReadValues(LogKind kind, ReadOnlySpan<byte> line, IValueSink sink) { }

        public RecordDetails ReadDetails(LogKind kind, ReadOnlySpan<byte> line) => new(null, Endpoint.Unknown, Endpoint.Unknown, FlowAction.None, false, null);
    }

    [Fact]
    public async Task A_format_nobody_reads_is_named_with_those_that_are_known()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        UnknownLogFormatException e = await Assert.ThrowsAsync<UnknownLogFormatException>(
            () => new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "zeke", default, null, Actor.Local, CancellationToken.None));
        Assert.Contains("zeke", e.Message, StringComparison.Ordinal);
        Assert.Contains("calico", e.Message, StringComparison.Ordinal);
    }
}

internal static class Bodies
{
    /// <summary>The bytes in blocks of this size, as a body is held that came in parts.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int size)
    {
        var first = new Block(default, 0);
        Block last = first;
        for (int at = 0; at < bytes.Length; at += size)
        {
            last = last.Then(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Block : ReadOnlySequenceSegment<byte>
    {
        public Block(ReadOnlyMemory<byte> bytes, long before) => (Memory, RunningIndex) = (bytes, before);

        public Block Then(ReadOnlyMemory<byte> bytes)
        {
            var next = new Block(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
