using System.Text;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Demo;

/// <summary>Brings the made-up cluster's records to the log store: first the day before a moment, then what time adds. Not for two callers at once.</summary>
internal sealed class DemoArrivals(AppendLogs append, DateTimeOffset moment)
{
    private static readonly LogKind[] Kinds = [LogKind.Dns, LogKind.Flow];

    private readonly SampleDay _day = new(moment);

    // By kind: when the second cannot be stored, the first is not brought twice.
    private readonly Dictionary<LogKind, DateTimeOffset> _brought = Kinds.ToDictionary(k => k, _ => moment);

    /// <summary>The day before the moment. A demo that was stopped half-way does not bring it again.</summary>
    public async Task BringDayAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<SampleRecord> records = _day.Between(moment - SampleDay.Length, moment);
        foreach (LogKind kind in Kinds)
        {
            try
            {
                await AppendAsync(records, kind, $"demo-day-{kind}", cancellationToken);
            }
            catch (KeyReusedException)
            {
                // It is there; only its times were others when the demo was stopped.
            }
        }
    }

    /// <summary>What was flushed since the last call.</summary>
    public async Task BringNewAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (LogKind kind in Kinds)
        {
            await AppendAsync(_day.Between(_brought[kind], now), kind, null, cancellationToken);
            _brought[kind] = now;
        }
    }

    private async Task AppendAsync(IReadOnlyList<SampleRecord> records, LogKind kind, string? key, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte>[] lines = [.. records.Where(r => r.Kind == kind).Select(r => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(r.Json.ToJsonString()))];
        if (lines.Length > 0)
        {
            await append(new LogBatch(kind, LogReaders.DefaultFormat, lines, key), cancellationToken);
        }
    }
}
