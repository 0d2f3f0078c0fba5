using System.Text;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

/// <summary>A record says what it likes; what is kept of it in memory and what is believed has bounds.</summary>
public sealed class CalicoBoundTests
{
    private readonly CalicoReader _reader = new();

    [Theory]
    [InlineData("""{{"labels":[{0}]}}""", "\"l{0:D5}=v{1}\"")]
    [InlineData("[{0}]", "\"l{0:D5}=v{1}\"")]
    [InlineData("{{{0}}}", "\"l{0:D5}\":\"v{1}\"")]
    public void Of_many_labels_the_first_by_name_are_read(string all, string one)
    {
        // In no order, each given twice: the last one counts.
        int[] numbers = [.. Enumerable.Range(0, 20_000).Select(i => i * 7919 % 20_000)];
        string labels = string.Format(all, string.Join(',', numbers.Select(n => string.Format(one, n, "old")).Concat(numbers.Select(n => string.Format(one, n, n)))));
        byte[] line = Encoding.UTF8.GetBytes($"{{\"start_time\":1,\"source_name\":\"a\",\"source_labels\":{labels},\"dest_name\":\"b\"}}");
        Assert.InRange(line.Length, 400_000, LogIngestion.LongestLine);
        RecordDetails details = _reader.ReadDetails(LogKind.Flow, line);
        Assert.Equal(Enumerable.Range(0, Endpoint.MostLabels).Select(i => ($"l{i:D5}", $"v{i}")), details.Source.Labels.Select(l => (l.Key, l.Value)).Order());
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("65535", 65535)]
    [InlineData("\"443\"", 443)]
    [InlineData("-1", null)]
    [InlineData("65536", null)]
    [InlineData("\"65536\"", null)]
    [InlineData("2147483647", null)]
    [InlineData("99999999999", null)]
    [InlineData("1.5", null)]
    [InlineData("null", null)]
    public void A_port_is_one_of_those_there_are(string port, int? read) =>
        Assert.Equal(read, _reader.ReadDetails(LogKind.Flow, Encoding.UTF8.GetBytes($"{{\"dest_ip\":\"192.0.2.1\",\"dest_port\":{port}}}")).Destination.Port);
}
