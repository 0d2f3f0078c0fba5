using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>
/// The records of one kind: what there is and reading it. Changes come from <see cref="KindWriter"/> alone.
/// A damaged frame (a checksum that is wrong in a synced part) is passed over, its records count as deleted, and an error is logged: a search that
/// stopped there would never reach what follows. What the disk cannot give is tried again, and given up in the same way when it never comes (<see cref="ReadFaults"/>).
/// </summary>
internal sealed partial class KindLog : IDisposable
{
    private readonly IDurableFiles _files;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Lock _rereading = new();
    private readonly ReadFaults _faults;
    private readonly ReadFaults _keyFaults;
    private readonly List<Segment> _segments = [];
    private readonly KeyMemory _keys;
    private readonly AcknowledgedFile _acknowledged;
    private Position _head;
    private DateTimeOffset? _newest;

    private KindLog(IDurableFiles files, string folder, LogSource source, long keyBytes, TimeProvider time, ILogger logger)
    {
        _files = files;
        _faults = new ReadFaults(time);
        _keyFaults = new ReadFaults(time);
        _logger = logger;
        _keys = new KeyMemory(keyBytes);
        Folder = folder;
        Source = source;
        Ledger = SegmentLedger.Open(files, folder);
        _acknowledged = AcknowledgedFile.Open(files, folder);
    }

    public LogSource Source { get; }

    public string Folder { get; }

    public SegmentLedger Ledger { get; }

    /// <summary>The number of the next segment; above every one that ever was.</summary>
    public long NextNumber { get; private set; } = 1;

    public Position Head { get { lock (_gate) { return _head; } } }

    public DateTimeOffset? Newest { get { lock (_gate) { return _newest; } } }

    public long Bytes { get { lock (_gate) { return _segments.Sum(s => s.Length); } } }

    /// <summary>Records that went before every search had passed them, or that were damaged.</summary>
    public long Lost => Ledger.Lost;

    /// <summary>Reads the folder, cuts the torn tail and seals what there is.</summary>
    /// <param name="keyBytes">Bytes of idempotency keys remembered.</param>
    public static KindLog Open(IDurableFiles files, string folder, LogSource source, Position floor, long keyBytes, TimeProvider time, ILogger logger)
    {
        var log = new KindLog(files, folder, source, keyBytes, time, logger);
        try
        {
            log.Recover(floor);
            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    public void Dispose() => _acknowledged.Dispose();

    public void AddSegment(Segment segment)
    {
        lock (_gate)
        {
            _segments.Add(segment);
            NextNumber = segment.Number + 1;
        }
    }

    /// <summary>Makes synced frames readable.</summary>
    public void Publish(Segment segment, IEnumerable<(FrameHeader Header, string? Key)> frames)
    {
        lock (_gate)
        {
            foreach ((FrameHeader header, string? key) in frames)
            {
                FramePlace place = segment.Add(header);
                if (key is not null)
                {
                    _keys.Set(key, segment.Number, place);
                }
            }
            See(segment.Number, segment.Records, segment.Newest);
        }
        try
        {
            _acknowledged.Write(new Acknowledged(segment.Number, segment.Records, segment.Length, segment.Newest ?? DateTimeOffset.UnixEpoch));
        }
        catch (IOException e)
        {
            EmbeddedLog.NotNoted(_logger, Folder, e);
        }
    }

    /// <summary>Records in the ledger how far the segment goes; nothing behind its published length is ever read.</summary>
    public void Seal(Segment segment)
    {
        Ledger.Add([new SealedSegment(segment.Number, segment.Length, segment.Records, segment.Newest ?? DateTimeOffset.UnixEpoch)], [], []);
        lock (_gate)
        {
            segment.Seal();
        }
    }

    /// <summary>Sealed segments, oldest first.</summary>
    public IReadOnlyList<Segment> SealedSegments()
    {
        lock (_gate)
        {
            return [.. _segments.Where(s => s.IsSealed)];
        }
    }

    /// <summary>Deletes sealed segments. The ledger knows before a file goes, so that no count ever misses them, whatever happens in between.</summary>
    /// <param name="passed">Up to where every search has come; what goes behind it is lost.</param>
    public Deletion Delete(IReadOnlyList<Segment> segments, Position passed)
    {
        if (segments.Count == 0)
        {
            return default;
        }
        long lost = 0;
        lock (_gate)
        {
            var gone = new List<DeletedSegments>();
            foreach (Segment segment in segments)
            {
                DamagedRange[] damaged = [.. segment.DamagedRanges()];
                long searched = Passed(segment.Number, segment.Records, passed);
                long unsearched = segment.Records - searched - damaged.Sum(d => d.From(searched));
                lost += unsearched;
                gone.Add(DeletedSegments.One(segment.Number, segment.Records, segment.Newest ?? DateTimeOffset.UnixEpoch, unsearched + damaged.Sum(d => d.Records)));
            }
            Ledger.Add([], gone, []);
            foreach (Segment segment in segments)
            {
                // By its number: what a start could not read is another object once it could.
                _segments.RemoveAll(s => s.Number == segment.Number);
            }
            _keys.Forget([.. segments.Select(s => s.Number)]);
        }
        foreach (Segment segment in segments)
        {
            _files.Delete(segment.Path);
        }
        _files.SyncFolder(Folder);
        if (lost > 0)
        {
            EmbeddedLog.DeletedUnsearched(_logger, lost, Source.Name);
        }
        return new Deletion(segments.Sum(s => s.Records), lost);
    }

    public RangeCount Count(Position after, Position upTo)
    {
        lock (_gate)
        {
            long kept = 0;
            long deleted = 0;
            foreach (Segment segment in _segments)
            {
                (long first, long last) = Range(segment.Number, segment.Records, after, upTo);
                if (first > last)
                {
                    continue;
                }
                long lost = segment.DamagedRanges().Sum(d => Math.Max(0, Math.Min(last, d.End - 1) - Math.Max(first, d.First) + 1));
                kept += last - first + 1 - lost;
                deleted += lost;
            }
            foreach (DeletedSegments gone in Ledger.Deleted)
            {
                long inLast = gone.Head.Segment == 0 ? 0 : gone.Head.Ordinal + 1;
                (long first, long last) = Range(gone.Head.Segment, inLast, after, upTo);
                // What stood before the last of them is told apart no more.
                deleted += Math.Max(0, last - first + 1) + (after.Segment < gone.Head.Segment && upTo.Segment >= gone.Head.Segment ? gone.Records - inLast : 0);
            }
            return new RangeCount(kept, deleted);
        }
    }

    /// <summary>How many records of a segment stand at or before a position.</summary>
    private static long Passed(long number, long records, Position position) =>
        position.Segment > number ? records : position.Segment < number ? 0 : Math.Min(records, position.Ordinal + 1);

    /// <summary>The ordinals of (after, upTo] in a segment, both included; first above last when there are none.</summary>
    private static (long First, long Last) Range(long number, long records, Position after, Position upTo)
    {
        if (number < after.Segment || number > upTo.Segment)
        {
            return (0, -1);
        }
        // BeforeAll is (0, 0) and there is no segment 0, so an ordinal always excludes itself.
        long first = number == after.Segment ? after.Ordinal + 1 : 0;
        long last = number == upTo.Segment ? Math.Min(upTo.Ordinal, records - 1) : records - 1;
        return (first, last);
    }

    private void See(long number, long records, DateTimeOffset? newest)
    {
        if (records > 0)
        {
            var last = new Position(number, records - 1);
            _head = last > _head ? last : _head;
            _newest = _newest > newest ? _newest : newest;
        }
    }
}

/// <param name="Records">All that went.</param>
/// <param name="Lost">Those that not every search had passed.</param>
internal readonly record struct Deletion(long Records, long Lost);
