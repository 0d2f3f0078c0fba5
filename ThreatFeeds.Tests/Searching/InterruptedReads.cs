using System.Collections.Concurrent;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Tests.Searching;

/// <summary>The real store, but a test gets a turn in the middle of each read, and may hide sources.</summary>
internal sealed class InterruptedReads(ILogStore store, Func<Func<Task>?> turn, Func<string, bool> hidden) : ILogStore
{
    private readonly ConcurrentDictionary<string, int> _heads = new(StringComparer.Ordinal);

    public IReadOnlyList<LogSource> Sources => [.. store.Sources.Where(s => !hidden(s.Id))];

    public event Action<LogSource>? Appended
    {
        add => store.Appended += value;
        remove => store.Appended -= value;
    }

    public event Action? Overfull
    {
        add => store.Overfull += value;
        remove => store.Overfull -= value;
    }

    public Task<AppendResult> AppendAsync(LogBatch batch, CancellationToken cancellationToken) => store.AppendAsync(batch, cancellationToken);

    public Task<Position> HeadAsync(LogSource source, CancellationToken cancellationToken)
    {
        _heads.AddOrUpdate(source.Id, 1, (_, count) => count + 1);
        return store.HeadAsync(source, cancellationToken);
    }

    /// <summary>How often somebody asked for the source's head, as each step does.</summary>
    public int HeadsRead(LogSource source) => _heads.GetValueOrDefault(source.Id);

    public async Task<Position> ReadAsync(LogSource source, Position after, Position upTo, Func<RawRecord, bool> visit, CancellationToken cancellationToken)
    {
        Position to = await store.ReadAsync(source, after, upTo, visit, cancellationToken);
        if (turn() is { } during)
        {
            await during();
        }
        return to;
    }

    public async Task<Position> ReadValuesAsync(LogSource source, Position after, Position upTo, int most, Func<ValueBatch, bool> visit, CancellationToken cancellationToken)
    {
        Position to = await store.ReadValuesAsync(source, after, upTo, most, visit, cancellationToken);
        if (turn() is { } during)
        {
            await during();
        }
        return to;
    }

    public Task<RangeCount> CountAsync(LogSource source, Position after, Position upTo, CancellationToken cancellationToken) => store.CountAsync(source, after, upTo, cancellationToken);

    public Task<FoundRecords> FindAsync(IReadOnlyList<RecordPlace> places, long mostBytes, CancellationToken cancellationToken)
    {
        MostBytesFound = Math.Max(MostBytesFound, mostBytes);
        return store.FindAsync(places, mostBytes, cancellationToken);
    }

    /// <summary>The most bytes of records that somebody was ready to hold at once.</summary>
    public long MostBytesFound { get; private set; }

    public Task<long> LostAsync(LogSource source, CancellationToken cancellationToken) => store.LostAsync(source, cancellationToken);

    public Task<DateTimeOffset?> LastReceivedAtAsync(LogSource source, CancellationToken cancellationToken) => store.LastReceivedAtAsync(source, cancellationToken);

    public Task<long> RetainAsync(RetentionLimits limits, CancellationToken cancellationToken) => store.RetainAsync(limits, cancellationToken);
}
