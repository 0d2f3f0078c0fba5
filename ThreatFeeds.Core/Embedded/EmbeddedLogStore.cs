using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Embedded;

/// <summary>
/// Records in append-only segments of the data folder, per kind and day of arrival (UTC). Open it once with <see cref="OpenAsync"/> before anything else;
/// until then every call throws <see cref="LogStoreException"/>. An append that is cancelled before it was written is not stored; later it is.
/// </summary>
public sealed class EmbeddedLogStore : ILogStore, IAsyncDisposable
{
    private readonly EmbeddedOptions _options;
    private readonly IDurableFiles _files;
    private readonly LogReaders _readers;
    private readonly TimeProvider _time;
    private readonly ILogger<EmbeddedLogStore> _logger;
    private volatile Kinds? _kinds;

    public EmbeddedLogStore(EmbeddedOptions options, LogReaders readers, TimeProvider time, ILogger<EmbeddedLogStore> logger)
        : this(options, new DurableFiles(), readers, time, logger)
    {
    }

    internal EmbeddedLogStore(EmbeddedOptions options, IDurableFiles files, LogReaders readers, TimeProvider time, ILogger<EmbeddedLogStore> logger)
    {
        _options = options;
        _files = files;
        _readers = readers;
        _time = time;
        _logger = logger;
    }

    public event Action<LogSource>? Appended;

    public IReadOnlyList<LogSource> Sources => Open().Sources;

    private string Folder => Path.Combine(_options.DataFolder, "logs");

    /// <summary>Takes the folder, recovers what is in it and begins new segments above all that were and above <paramref name="floors"/>.</summary>
    /// <param name="floors">Marks stored elsewhere by source id, so that positions are never given twice even when the folder is older than they are.</param>
    /// <exception cref="LogStoreException">Another process uses the folder, or it is damaged beyond recovery.</exception>
    public Task OpenAsync(IReadOnlyDictionary<string, Position> floors, CancellationToken cancellationToken) =>
        Task.Run(() => OpenFolder(floors), cancellationToken);

    public Task<bool> AppendAsync(LogBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Lines.Count == 0)
        {
            throw new ArgumentException("A batch has at least one line.", nameof(batch));
        }
        return Open().Of(batch.Kind).Writer.AppendAsync(batch, cancellationToken);
    }

    public Task<Position> HeadAsync(LogSource source, CancellationToken cancellationToken) => Task.FromResult(Find(source).Log.Head);

    /// <inheritdoc/>
    /// <remarks>Reading goes to the head at the time of the call at most; the answer then is that head, so that what arrives later is not passed over.</remarks>
    public Task<Position> ReadAsync(LogSource source, Position after, Position upTo, Func<RawRecord, bool> visit, CancellationToken cancellationToken)
    {
        KindLog log = Find(source).Log;
        return Task.Run(() => Guarded(() => log.Read(after, upTo, visit, cancellationToken)), cancellationToken);
    }

    public Task<Position> ReadValuesAsync(LogSource source, Position after, Position upTo, int most, Func<ValueBatch, bool> visit, CancellationToken cancellationToken)
    {
        KindLog log = Find(source).Log;
        return Task.Run(
            () => Guarded(() =>
            {
                var reading = new ValueReading(_readers, source.Kind, most, visit);
                Position passed = log.Read(after, upTo, reading.Take, cancellationToken);
                reading.End();
                return passed;
            }),
            cancellationToken);
    }

    public Task<RangeCount> CountAsync(LogSource source, Position after, Position upTo, CancellationToken cancellationToken) =>
        Task.FromResult(Find(source).Log.Count(after, upTo));

    public Task<RawRecord?> FindAsync(string sourceId, Position position, CancellationToken cancellationToken)
    {
        Kind? kind = Open().Find(sourceId);
        if (kind is null || position.Segment < 1 || position.Ordinal < 0)
        {
            return Task.FromResult<RawRecord?>(null);
        }
        return Task.Run(
            () =>
            {
                RawRecord? found = null;
                Guarded(() => kind.Log.Read(position with { Ordinal = position.Ordinal - 1 }, position, record =>
                {
                    found = record with { Line = record.Line.ToArray() };
                    return false;
                }, cancellationToken));
                return found;
            },
            cancellationToken);
    }

    public Task<DateTimeOffset?> LastReceivedAtAsync(LogSource source, CancellationToken cancellationToken) => Task.FromResult(Find(source).Log.Newest);

    public async Task<long> RetainAsync(RetentionLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        Kinds kinds = Open();
        DateTimeOffset oldest = _time.GetUtcNow() - limits.Keep;
        long deleted = 0;
        try
        {
            foreach (Kind kind in kinds.All)
            {
                Position mark = limits.ForwardMarks.GetValueOrDefault(kind.Log.Source.Id);
                deleted += await kind.Writer.RunAsync(
                    writer =>
                    {
                        writer.SealActive(always: false);
                        return kind.Log.Delete([.. kind.Log.SealedSegments().Where(s =>
                            s.Records == 0 || (s.Newest < oldest && new Position(s.Number, s.Records - 1) <= mark))]);
                    },
                    cancellationToken);
            }
            while (limits.MaxBytes is { } most && kinds.All.Sum(k => k.Log.Bytes) > most)
            {
                long gone = await DeleteOldestAsync(kinds, cancellationToken);
                if (gone == 0)
                {
                    break;
                }
                deleted += gone;
            }
        }
        catch (IOException e)
        {
            throw new LogStoreException($"Retention failed: {e.Message}", DiskFull.Is(e), e);
        }
        return deleted;
    }

    public async ValueTask DisposeAsync()
    {
        Kinds? kinds = Interlocked.Exchange(ref _kinds, null);
        if (kinds is not null)
        {
            foreach (Kind kind in kinds.All)
            {
                await kind.Writer.CloseAsync();
            }
            kinds.Lock.Dispose();
        }
    }

    private async Task<long> DeleteOldestAsync(Kinds kinds, CancellationToken cancellationToken)
    {
        Kind? oldest = Oldest(kinds);
        if (oldest is null)
        {
            // Nothing is sealed: what is being written is over the limit by itself.
            foreach (Kind kind in kinds.All)
            {
                await kind.Writer.RunAsync(
                    writer =>
                    {
                        writer.SealActive(always: true);
                        return true;
                    },
                    cancellationToken);
            }
            oldest = Oldest(kinds);
        }
        if (oldest is null)
        {
            return 0;
        }
        long gone = await oldest.Writer.RunAsync(_ => oldest.Log.Delete([.. oldest.Log.SealedSegments().Take(1)]), cancellationToken);
        EmbeddedLog.DeletedForSize(_logger, gone, oldest.Log.Source.Name);
        return gone;
    }

    private static Kind? Oldest(Kinds kinds) => kinds.All
        .Select(k => (Kind: k, First: k.Log.SealedSegments() is [var first, ..] ? first : null))
        .Where(k => k.First is not null)
        .OrderBy(k => k.First!.Newest)
        .Select(k => k.Kind)
        .FirstOrDefault();

    private void OpenFolder(IReadOnlyDictionary<string, Position> floors)
    {
        if (_kinds is not null)
        {
            throw new InvalidOperationException("The log store is open already.");
        }
        _files.CreateFolder(_options.DataFolder);
        _files.CreateFolder(Folder);
        IDisposable held = _files.TryLock(Path.Combine(Folder, "lock"))
            ?? throw new LogStoreException($"Another process uses the data folder {_options.DataFolder}. Stop it, or give this one another folder (--data).");
        try
        {
            string id = StoreId();
            var all = new List<Kind>();
            foreach (LogKind kind in (ReadOnlySpan<LogKind>)[LogKind.Dns, LogKind.Flow])
            {
                string name = kind == LogKind.Dns ? "dns" : "flow";
                var source = new LogSource($"{id}-{name}", $"embedded/{name}", kind);
                KindLog log = KindLog.Open(_files, Path.Combine(Folder, name), source, floors.GetValueOrDefault(source.Id), _logger);
                all.Add(new Kind(log, new KindWriter(log, _files, _options, _time, _logger) { Appended = () => Appended?.Invoke(source) }));
            }
            _kinds = new Kinds(held, all);
            EmbeddedLog.Opened(_logger, Folder, all.Sum(k => k.Log.Count(Position.BeforeAll, k.Log.Head).Records), all.Sum(k => k.Log.Bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            held.Dispose();
            throw new LogStoreException($"The log store in {Folder} cannot be opened: {e.Message}", e is IOException io && DiskFull.Is(io), e);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A random id of this folder; positions mean nothing in another.</summary>
    private string StoreId()
    {
        string path = Path.Combine(Folder, "id");
        if (_files.Exists(path))
        {
            using IDurableFile file = _files.OpenRead(path);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            return Guid.Parse(System.Text.Encoding.ASCII.GetString(bytes)).ToString("N");
        }
        string id = Guid.NewGuid().ToString("N");
        DurableText.Replace(_files, Folder, path, id);
        return id;
    }

    private static Position Guarded(Func<Position> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LogStoreException($"Records cannot be read: {e.Message}", e);
        }
    }

    private Kinds Open() => _kinds ?? throw new LogStoreException("The log store is not open.");

    private Kind Find(LogSource source) => Open().Find(source.Id) ?? throw new LogStoreException($"The log store has no source {source.Id}.");

    private sealed record Kind(KindLog Log, KindWriter Writer);

    private sealed record Kinds(IDisposable Lock, IReadOnlyList<Kind> All)
    {
        public IReadOnlyList<LogSource> Sources { get; } = [.. All.Select(k => k.Log.Source)];

        public Kind Of(LogKind kind) => All.First(k => k.Log.Source.Kind == kind);

        public Kind? Find(string sourceId) => All.FirstOrDefault(k => k.Log.Source.Id == sourceId);
    }
}
