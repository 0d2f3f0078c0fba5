using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>
/// Writes one kind. A single loop takes what is waiting, writes it and syncs once for all of it (group commit), then makes it readable and answers.
/// After a failed write the file is cut back to what was acknowledged; where that fails, and after a failed sync (whose pages the system may
/// have dropped), the segment is sealed at its acknowledged length and a new one begun.
/// </summary>
internal sealed partial class KindWriter
{
    private const int MostWaiting = 1024;
    private const long MostBytesPerSync = 128L << 20;

    private readonly KindLog _log;
    private readonly IDurableFiles _files;
    private readonly EmbeddedOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Work> _waiting = Channel.CreateBounded<Work>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly List<Staged> _staged = [];
    private readonly Task _loop;

    private Segment? _active;
    private IDurableFile? _file;
    private DateOnly _day;
    private long _writeAt;
    private long _nextOrdinal;
    private bool _mustSeal;

    public KindWriter(KindLog log, IDurableFiles files, EmbeddedOptions options, TimeProvider time, ILogger logger)
    {
        _log = log;
        _files = files;
        _options = options;
        _time = time;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Called after records became readable.</summary>
    public Action? Appended { get; init; }

    public async Task<AppendResult> AppendAsync(LogBatch batch, CancellationToken cancellationToken)
    {
        var append = new Append(Frame.Encode(batch), batch.Lines.Count, batch.IdempotencyKey, cancellationToken);
        await EnqueueAsync(append, cancellationToken);
        return await append.Done.Task;
    }

    /// <summary>Runs on the writing loop, between syncs.</summary>
    public async Task<T> RunAsync<T>(Func<KindWriter, T> action, CancellationToken cancellationToken)
    {
        var work = new Errand<T>(action);
        await EnqueueAsync(work, cancellationToken);
        return await work.Done.Task;
    }

    /// <summary>Writes what waits and seals the segment, so that the next start knows all of it was acknowledged.</summary>
    public async Task CloseAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
        try
        {
            // Nothing new to sync; a file that fails here is not called whole.
            _file?.Sync();
            SealActive(always: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            EmbeddedLog.NotSealed(_logger, _active!.Path, e);
        }
        _file?.Dispose();
    }

    /// <summary>Seals the segment being written when it has records and, unless <paramref name="always"/>, its day is over.</summary>
    public void SealActive(bool always)
    {
        if (_active is { Records: > 0 } && (always || Today() != _day))
        {
            Seal();
        }
    }

    private async Task EnqueueAsync(Work work, CancellationToken cancellationToken)
    {
        try
        {
            await _waiting.Writer.WriteAsync(work, cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new LogStoreException("The log store is closed.", e);
        }
    }

    private async Task RunAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            long bytes = 0;
            while (bytes < MostBytesPerSync && _staged.Count < MostWaiting && _waiting.Reader.TryRead(out Work? work))
            {
                if (work is Append append)
                {
                    bytes += append.Frame.Length;
                    Stage(append);
                }
                else
                {
                    Commit();
                    work.Run(this);
                }
            }
            Commit();
        }
    }

    private void Stage(Append append)
    {
        if (append.CancellationToken.IsCancellationRequested)
        {
            append.Done.TrySetCanceled(append.CancellationToken);
            return;
        }
        try
        {
            switch (append.Key is null ? KeyUse.New : UseOf(append.Key, append.Frame))
            {
                case KeyUse.Repeated:
                    // Answered with the batch it repeats: should that fail, so does this.
                    _staged.Add(new Staged(append, default, Repeated: true));
                    return;
                case KeyUse.Reused:
                    append.Done.TrySetException(new KeyReusedException());
                    return;
            }
        }
        catch (Exception e)
        {
            append.Done.TrySetException(Failure(e));
            return;
        }
        if (_active is not null && (Today() != _day || (_nextOrdinal > 0 && _writeAt + append.Frame.Length > _options.SegmentBytes)))
        {
            Commit();
            _mustSeal = true;
        }
        try
        {
            EnsureActive();
            DateTimeOffset now = _time.GetUtcNow();
            Frame.Seal(append.Frame, now, _nextOrdinal);
            _file!.Write(_writeAt, append.Frame);
            Frame.TryReadHeader(append.Frame, out FrameHeader header);
            _staged.Add(new Staged(append, header, Repeated: false));
            _writeAt += append.Frame.Length;
            _nextOrdinal += append.Count;
        }
        catch (Exception e)
        {
            // Frames staged before this one are whole; they are synced as if it had never come.
            CutBack();
            append.Done.TrySetException(Failure(e));
        }
    }

    private KeyUse UseOf(string key, byte[] frame)
    {
        int staged = _staged.FindIndex(s => s.Append.Key == key && !s.Repeated);
        if (staged < 0)
        {
            return _log.UseOf(key, frame);
        }
        Frame.TryReadHeader(frame, out FrameHeader header);
        return Frame.SameContent(_staged[staged].Append.Frame, _staged[staged].Header, frame, header) ? KeyUse.Repeated : KeyUse.Reused;
    }

    private void Commit()
    {
        if (_staged.Count == 0)
        {
            return;
        }
        Staged[] staged = [.. _staged];
        _staged.Clear();
        bool wrote = Array.Exists(staged, s => !s.Repeated);
        if (wrote)
        {
            try
            {
                _file!.Sync();
                _log.Publish(_active!, staged.Where(s => !s.Repeated).Select(s => (s.Header, s.Append.Key)));
            }
            catch (Exception e)
            {
                // Nothing may follow what nobody can read.
                _mustSeal = true;
                LogStoreException failure = Failure(e);
                foreach (Staged one in staged)
                {
                    one.Append.Done.TrySetException(failure);
                }
                return;
            }
        }
        foreach (Staged one in staged)
        {
            one.Append.Done.TrySetResult(one.Repeated ? AppendResult.Repeated : AppendResult.Stored);
        }
        if (wrote)
        {
            try
            {
                Appended?.Invoke();
            }
            catch (Exception e)
            {
                EmbeddedLog.HandlerFailed(_logger, e);
            }
        }
    }

    private void EnsureActive()
    {
        if (_mustSeal && _active is not null)
        {
            Seal();
        }
        if (_active is not null)
        {
            return;
        }
        long number = _log.NextNumber;
        string path = Path.Combine(_log.Folder, Segment.FileName(number));
        IDurableFile file = _files.Create(path);
        try
        {
            file.Write(0, Segment.Header(number));
            file.Sync();
            _files.SyncFolder(_log.Folder);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file = file;
        _active = new Segment(number, path);
        _day = Today();
        _writeAt = Segment.HeaderBytes;
        _nextOrdinal = 0;
        _log.AddSegment(_active);
    }

    /// <summary>Until the ledger holds the segment's end no later segment may begin: frames behind it could otherwise return after a crash, before the marks.</summary>
    private void Seal()
    {
        // First, since a ledger that failed to be written may be there after a crash all the same: nothing may be appended any more.
        _mustSeal = true;
        _log.Seal(_active!);
        _file!.Dispose();
        _file = null;
        _active = null;
        _mustSeal = false;
    }

    private void CutBack()
    {
        if (_active is null)
        {
            return;
        }
        try
        {
            _file!.SetLength(_writeAt);
        }
        catch (Exception e)
        {
            EmbeddedLog.CutBackFailed(_logger, _active.Path, e);
            Commit();
            _mustSeal = true;
        }
    }

    private DateOnly Today() => DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);

    private LogStoreException Failure(Exception e)
    {
        bool full = e is IOException io && DiskFull.Is(io);
        EmbeddedLog.AppendFailed(_logger, _log.Source.Name, e);
        return new LogStoreException(full ? "No room is left for records on the disk." : $"The records could not be stored: {e.Message}", full, e);
    }
}
