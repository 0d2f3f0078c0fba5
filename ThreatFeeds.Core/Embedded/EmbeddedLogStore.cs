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
    private readonly WaitingBytes _waiting;
    private readonly SemaphoreSlim _retaining = new(1);
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
        _waiting = new WaitingBytes(options.WaitingBytes);
    }

    public event Action<LogSource>? Appended;

    public event Action? Overfull;

    public IReadOnlyList<LogSource> Sources => Open().Sources;

    private string Folder => Path.Combine(_options.DataFolder, "logs");

    /// <summary>Takes the folder, recovers what is in it and begins new segments above all that were and above <paramref name="floors"/>.</summary>
    /// <param name="floors">Marks stored elsewhere by source id, so that positions are never given twice even when the folder is older than they are.</param>
    /// <exception cref="LogStoreException">Another process uses the folder, or it is damaged beyond recovery.</exception>
    public Task OpenAsync(IReadOnlyDictionary<string, Position> floors, CancellationToken cancellationToken) =>
        Task.Run(() => OpenFolder(floors), cancellationToken);

    public async Task<AppendResult> AppendAsync(LogBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Lines.Count == 0)
        {
            throw new ArgumentException("A batch has at least one line.", nameof(batch));
        }
        KindWriter writer = Open().Of(batch.Kind).Writer;
        int bytes = Frame.LengthOf(batch);
        if (!_waiting.TryEnter(bytes))
        {
            throw new LogStoreException($"Batches of more than {_options.WaitingBytes} bytes wait to be written; nothing was stored. Send this one again in a second.") { Busy = true };
        }
        try
        {
            return await writer.AppendAsync(batch, cancellationToken);
        }
        finally
        {
            _waiting.Leave(bytes);
        }
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

    public Task<FoundRecords> FindAsync(IReadOnlyList<RecordPlace> places, long mostBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(places);
        Kinds kinds = Open();
        return Task.Run(
            () => Guarded(() =>
            {
                var finding = new Finding(places, mostBytes);
                foreach (IGrouping<string, Wanted> ofSource in finding.BySource())
                {
                    kinds.Find(ofSource.Key)?.Log.Find(ofSource, finding, cancellationToken);
                }
                return finding.Done();
            }),
            cancellationToken);
    }

    public Task<long> LostAsync(LogSource source, CancellationToken cancellationToken) => Task.FromResult(Find(source).Log.Lost);

    public Task<DateTimeOffset?> LastReceivedAtAsync(LogSource source, CancellationToken cancellationToken) => Task.FromResult(Find(source).Log.Newest);

    public async Task<long> RetainAsync(RetentionLimits limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(limits);
        Kinds kinds = Open();
        long deleted = 0;
        // One at a time: two would both find the store overfull and delete twice as much.
        await _retaining.WaitAsync(cancellationToken);
        try
        {
            foreach (Kind kind in kinds.All)
            {
                string source = kind.Log.Source.Id;
                Position mark = limits.ForwardMarks.GetValueOrDefault(source);
                deleted += (await kind.Writer.RunAsync(
                    writer =>
                    {
                        writer.SealActive(always: false);
                        return kind.Log.Delete([.. kind.Log.SealedSegments().Where(s =>
                            (s.Records == 0 && !s.IsUnread) || (s.Newest < limits.Before && new Position(s.Number, s.Records - 1) <= mark))], limits.Passed(source));
                    },
                    cancellationToken)).Records;
            }
            while (limits.MaxBytes is { } most && kinds.All.Sum(k => k.Log.Bytes) > most)
            {
                long gone = await DeleteOldestAsync(kinds, limits, cancellationToken);
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
        finally
        {
            _retaining.Release();
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
                kind.Log.Dispose();
            }
            kinds.Lock?.Dispose();
            _retaining.Dispose();
        }
    }

    private void HaveAppended(LogSource source)
    {
        Appended?.Invoke(source);
        if (_options.MaxBytes is { } most && _kinds?.All.Sum(k => k.Log.Bytes) > most)
        {
            Overfull?.Invoke();
        }
    }

    private async Task<long> DeleteOldestAsync(Kinds kinds, RetentionLimits limits, CancellationToken cancellationToken)
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
        Deletion gone = await oldest.Writer.RunAsync(
            _ => oldest.Log.Delete([.. oldest.Log.SealedSegments().Take(1)], limits.Passed(oldest.Log.Source.Id)), cancellationToken);
        EmbeddedLog.DeletedForSize(_logger, gone.Records, oldest.Log.Source.Name);
        return gone.Records;
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
        IDisposable? held = _options.FolderHeld ? null : _files.TryLock(EmbeddedOptions.LockFile(_options.DataFolder))
            ?? throw new LogStoreException($"Another process uses the data folder {_options.DataFolder}. Stop it, or give this one another folder (--data).");
        try
        {
            LogKind[] kinds = [LogKind.Dns, LogKind.Flow];
            string[] folders = [.. kinds.Select(k => Path.Combine(Folder, Word.Of(k)))];
            Array.ForEach(folders, _files.CreateFolder);
            FormatCheck.Run(_files, Folder, folders);
            string id = StoreId.Of(_files, Folder);
            var all = new List<Kind>();
            foreach (LogKind kind in kinds)
            {
                string name = Word.Of(kind);
                var source = new LogSource($"{id}-{name}", $"embedded/{name}", kind);
                KindLog log = KindLog.Open(_files, Path.Combine(Folder, name), source, floors.GetValueOrDefault(source.Id), _options.KeyBytes, _time, _logger);
                all.Add(new Kind(log, new KindWriter(log, _files, _options, _time, _logger) { Appended = () => HaveAppended(source) }));
            }
            _kinds = new Kinds(held, all);
            EmbeddedLog.Opened(_logger, Folder, all.Sum(k => k.Log.Count(Position.BeforeAll, k.Log.Head).Records), all.Sum(k => k.Log.Bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw new LogStoreException($"The log store in {Folder} cannot be opened: {e.Message}", e is IOException io && DiskFull.Is(io), e);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    private static T Guarded<T>(Func<T> read)
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
}
