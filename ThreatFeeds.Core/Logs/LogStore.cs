using ThreatFeeds.Embedded;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>A record's place in its source; grows, is never reused. Positions compare by segment, then ordinal.</summary>
/// <param name="Segment">Embedded: number of the segment file, from 1. Elasticsearch: always 1.</param>
/// <param name="Ordinal">Embedded: place within the segment, from 0, dense. Elasticsearch: <c>_seq_no</c>.</param>
public readonly record struct Position(long Segment, long Ordinal) : IComparable<Position>
{
    /// <summary>Before the first record of any source.</summary>
    public static Position BeforeAll => default;

    public int CompareTo(Position other) => Segment != other.Segment ? Segment.CompareTo(other.Segment) : Ordinal.CompareTo(other.Ordinal);
    public static bool operator <(Position a, Position b) => a.CompareTo(b) < 0;
    public static bool operator >(Position a, Position b) => a.CompareTo(b) > 0;
    public static bool operator <=(Position a, Position b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Position a, Position b) => a.CompareTo(b) >= 0;
}

/// <summary>Where records come from and have an order of arrival.</summary>
/// <param name="Id">Stable over restarts: store id and kind, or index UUID and shard.</param>
/// <param name="Name">For people, such as <c>embedded/dns</c>.</param>
public sealed record LogSource(string Id, string Name, LogKind Kind);

/// <summary>A record as it was received.</summary>
/// <param name="Format">The reader that understands it, such as <c>calico</c>.</param>
/// <param name="ArrivedAt">When its batch was acknowledged.</param>
/// <param name="Line">The line as received, without line end. Valid only until the next record is read.</param>
public readonly record struct RawRecord(Position Position, string Format, DateTimeOffset ArrivedAt, ReadOnlyMemory<byte> Line);

/// <summary>Lines to be kept together or not at all.</summary>
/// <param name="Lines">Each one a record, without line end.</param>
/// <param name="IdempotencyKey">When this key was stored before, the batch is not stored again.</param>
public sealed record LogBatch(LogKind Kind, string Format, IReadOnlyList<ReadOnlyMemory<byte>> Lines, string? IdempotencyKey);

/// <summary>What deletion took from a range nobody had read.</summary>
/// <param name="Records">Records kept in the range and readable.</param>
/// <param name="Deleted">Records of the range that retention deleted.</param>
public readonly record struct RangeCount(long Records, long Deleted);

/// <summary>What retention needs to know of one source.</summary>
public sealed record RetentionLimits(TimeSpan Keep, long? MaxBytes, IReadOnlyDictionary<string, Position> ForwardMarks);

/// <summary>
/// Keeps records in order of arrival. The one port with two adapters (embedded, Elasticsearch); every method may do I/O and throws
/// <see cref="LogStoreException"/> when the store cannot answer; callers retry, the store does not.
/// </summary>
public interface ILogStore
{
    /// <summary>The sources there are now. They come and go: whoever works on them asks again and again.</summary>
    IReadOnlyList<LogSource> Sources { get; }

    /// <summary>Completes each time records became readable; the argument is the source. Handlers must return at once.</summary>
    event Action<LogSource>? Appended;

    /// <summary>Stores a batch; returns when it is durable. False when the idempotency key was seen before (nothing was stored).</summary>
    Task<bool> AppendAsync(LogBatch batch, CancellationToken cancellationToken);

    /// <summary>The last readable (durable) position, <see cref="Position.BeforeAll"/> when there is none.</summary>
    Task<Position> HeadAsync(LogSource source, CancellationToken cancellationToken);

    /// <summary>Calls <paramref name="visit"/> for each kept record of (after, upTo] in order, until it returns false or the range ends. Deleted records are passed over.</summary>
    /// <returns>The position up to which the range has been passed: the last visited record when <paramref name="visit"/> stopped it, else <paramref name="upTo"/>.</returns>
    Task<Position> ReadAsync(LogSource source, Position after, Position upTo, Func<RawRecord, bool> visit, CancellationToken cancellationToken);

    /// <summary>
    /// Calls <paramref name="visit"/> with the searched values of the kept records of (after, upTo] in order, a batch at a time, until it returns false or the
    /// range ends. A batch holds at most <paramref name="most"/> records, and fewer when their values are long.
    /// </summary>
    /// <returns>The position up to which the range has been passed: the batch's last record when <paramref name="visit"/> stopped it, else <paramref name="upTo"/>.</returns>
    Task<Position> ReadValuesAsync(LogSource source, Position after, Position upTo, int most, Func<ValueBatch, bool> visit, CancellationToken cancellationToken);

    /// <summary>How many records (after, upTo] holds.</summary>
    Task<RangeCount> CountAsync(LogSource source, Position after, Position upTo, CancellationToken cancellationToken);

    /// <summary>The record at a position as received, or null when it is no longer kept. The line is a copy.</summary>
    Task<RawRecord?> FindAsync(string sourceId, Position position, CancellationToken cancellationToken);

    /// <summary>When the newest record of the source arrived; null when none ever did since records are kept.</summary>
    Task<DateTimeOffset?> LastReceivedAtAsync(LogSource source, CancellationToken cancellationToken);

    /// <summary>Deletes what is older than allowed. Nothing that the forward search has not passed, except to stay under <see cref="RetentionLimits.MaxBytes"/>.</summary>
    /// <returns>Records deleted.</returns>
    Task<long> RetainAsync(RetentionLimits limits, CancellationToken cancellationToken);
}

/// <summary>The store cannot answer or write now.</summary>
public sealed class LogStoreException : Exception
{
    public LogStoreException(string message, bool full, Exception? inner) : base(message, inner) => Full = full;
    public LogStoreException(string message) : base(message) { }
    public LogStoreException(string message, Exception inner) : base(message, inner) { }
    public LogStoreException() { }

    /// <summary>No room is left on the disk (HTTP 507).</summary>
    public bool Full { get; }
}
