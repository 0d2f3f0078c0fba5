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
/// <param name="IdempotencyKey">When this batch was stored before under this key, it is not stored again; another batch under it is refused.</param>
public sealed record LogBatch(LogKind Kind, string Format, IReadOnlyList<ReadOnlyMemory<byte>> Lines, string? IdempotencyKey);

/// <summary>What became of a batch.</summary>
public enum AppendResult
{
    Stored,
    /// <summary>The same lines were stored before under the same idempotency key; nothing was stored now.</summary>
    Repeated,
}

/// <summary>Which record.</summary>
/// <param name="Source">Id of its source.</param>
public readonly record struct RecordPlace(string Source, Position Position);

/// <summary>Records that were asked for by their places.</summary>
/// <param name="Records">As received; those no longer kept are absent. Lines are copies.</param>
/// <param name="Passed">How many of the places, from the first on, this answers; for the others there was no room.</param>
public sealed record FoundRecords(IReadOnlyDictionary<RecordPlace, RawRecord> Records, int Passed);

/// <summary>What a range holds.</summary>
/// <param name="Records">Records kept in the range and readable.</param>
/// <param name="Deleted">Records of the range that retention deleted or damage took. Deleted records with no kept one between may all count where the last of them stood.</param>
public readonly record struct RangeCount(long Records, long Deleted);

/// <summary>What retention goes by; positions by source id.</summary>
/// <param name="Before">Records that arrived before this may go.</param>
/// <param name="MaxBytes">Bytes of records at most; the oldest go, searched or not. Null: no bound.</param>
/// <param name="ForwardMarks">How far the forward search has come.</param>
public sealed record RetentionLimits(DateTimeOffset Before, long? MaxBytes, IReadOnlyDictionary<string, Position> ForwardMarks)
{
    /// <summary>Where the look-back furthest behind stands; a source that is absent has none under way.</summary>
    public IReadOnlyDictionary<string, Position> LookBacks { get; init; } = new Dictionary<string, Position>();

    /// <summary>Up to where all searches of a source have come.</summary>
    public Position Passed(string source)
    {
        Position mark = ForwardMarks.GetValueOrDefault(source);
        return LookBacks.TryGetValue(source, out Position lookBack) && lookBack < mark ? lookBack : mark;
    }
}

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

    /// <summary>Raised when the store holds more bytes than it is set to: retention should run now. Handlers must return at once.</summary>
    event Action? Overfull;

    /// <summary>Stores a batch; returns when it is durable.</summary>
    /// <exception cref="KeyReusedException">Its idempotency key stands for other lines.</exception>
    Task<AppendResult> AppendAsync(LogBatch batch, CancellationToken cancellationToken);

    /// <summary>The last position ever given to a durable record, also when it is no longer kept; <see cref="Position.BeforeAll"/> when there is none.</summary>
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

    /// <summary>Many records at once: those of the first places, as many as have room in <paramref name="mostBytes"/> bytes of lines, but at least one.</summary>
    /// <param name="places">In any order.</param>
    Task<FoundRecords> FindAsync(IReadOnlyList<RecordPlace> places, long mostBytes, CancellationToken cancellationToken);

    /// <summary>Records of the source that were deleted before every search had passed them, or that were damaged; each counts once, for good.</summary>
    Task<long> LostAsync(LogSource source, CancellationToken cancellationToken);

    /// <summary>When the newest record of the source arrived; null when none ever did since records are kept.</summary>
    Task<DateTimeOffset?> LastReceivedAtAsync(LogSource source, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes what is older than allowed. Nothing that the forward search has not passed, except to stay under <see cref="RetentionLimits.MaxBytes"/>.
    /// What goes although some search still needed it is added to <see cref="LostAsync"/> in the same durable step, so that no end of the process parts the two.
    /// </summary>
    /// <returns>Records deleted.</returns>
    Task<long> RetainAsync(RetentionLimits limits, CancellationToken cancellationToken);
}

/// <summary>The idempotency key of a batch was used before for other lines; nothing was stored.</summary>
public sealed class KeyReusedException : Exception
{
    public KeyReusedException() : base("The idempotency key was used before for other records; nothing was stored.") { }
    public KeyReusedException(string message) : base(message) { }
    public KeyReusedException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>The store cannot answer or write now.</summary>
public sealed class LogStoreException : Exception
{
    public LogStoreException(string message, bool full, Exception? inner) : base(message, inner) => Full = full;
    public LogStoreException(string message) : base(message) { }
    public LogStoreException(string message, Exception inner) : base(message, inner) { }
    public LogStoreException() { }

    /// <summary>Too much waits to be written; the same batch sent again a little later is taken (HTTP 503 with Retry-After).</summary>
    public bool Busy { get; init; }

    /// <summary>No room is left on the disk (HTTP 507).</summary>
    public bool Full { get; }
}
