using System.Text;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Embedded;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

public sealed class LogIngestionTests
{
    private static readonly LogReaders Readers = new([new CalicoReader()]);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65536)]
    public async Task Lines_are_the_same_however_the_body_is_cut(int chunk)
    {
        string body = "\uFEFF{\"qname\":\"a\",\"end_time\":1}\r\n\r\n  \n{\"qname\":\"b\",\"end_time\":1}\nbroken\n{\"qname\":\"é\",\"end_time\":1}";
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "Calico", new Chunked(Encoding.UTF8.GetBytes(body), chunk), null, CancellationToken.None);
        Assert.Equal((3, 1), (answer.Accepted, answer.Refused));
        Assert.Equal(5, Assert.Single(answer.Refusals).Line);
        Assert.Equal(["{\"qname\":\"a\",\"end_time\":1}", "{\"qname\":\"b\",\"end_time\":1}", "{\"qname\":\"é\",\"end_time\":1}"], await store.LinesAsync());
    }

    [Fact]
    public async Task A_hundred_refusals_are_named_and_all_are_counted()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        string body = string.Concat(Enumerable.Repeat("{}\n", 250));
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", new Chunked(Encoding.UTF8.GetBytes(body), 999), null, CancellationToken.None);
        Assert.Equal((0, 250, 100), (answer.Accepted, answer.Refused, answer.Refusals.Count));
        Assert.Equal(100, answer.Refusals[^1].Line);
        Assert.Empty(await store.LinesAsync());
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused_and_the_others_are_kept()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        string body = $"{{\"qname\":\"{new string('x', LogIngestion.LongestLine)}\"}}\n{{\"qname\":\"b\",\"end_time\":1}}\n";
        Ingestion answer = await new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "calico", new Chunked(Encoding.UTF8.GetBytes(body), 65536), null, CancellationToken.None);
        Assert.Equal((1, 1), (answer.Accepted, answer.Refused));
        Assert.Contains("longer than", answer.Refusals[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_nobody_reads_is_named_with_those_that_are_known()
    {
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new ForgetfulFiles(1), TimeProvider.System);
        UnknownLogFormatException e = await Assert.ThrowsAsync<UnknownLogFormatException>(
            () => new LogIngestion(Readers, store).IngestAsync(LogKind.Dns, "zeke", Stream.Null, null, CancellationToken.None));
        Assert.Contains("zeke", e.Message, StringComparison.Ordinal);
        Assert.Contains("calico", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Gives a few bytes a read.</summary>
    private sealed class Chunked(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, chunk)], cancellationToken);
    }
}
