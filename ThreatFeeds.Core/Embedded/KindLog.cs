using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>
/// The records of one kind: what there is and reading it. Changes come from <see cref="KindWriter"/> alone.
/// A damaged frame (a checksum that is wrong in a synced part) is passed over, its records count as deleted, and an error is logged: a search that
/// stopped there would never reach what follows.
/// </summary>
internal sealed partial class KindLog
{
    private readonly IDurableFiles _files;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly List<Segment> _segments = [];
    private readonly Dictionary<string, long> _keys = new(StringComparer.Ordinal);
    private Position _head;
    private DateTimeOffset? _newest;

    private KindLog(IDurableFiles files, string folder, LogSource source, ILogger logger)
    {
        _files = files;
        _logger = logger;
        Folder = folder;
        Source = source;
        Ledger = SegmentLedger.Open(files, folder);
    }

    public LogSource Source { get; }

    public string Folder { get; }

    public SegmentLedger Ledger { get; }

    /// <summary>The number of the next segment; above every one that ever was.</summary>
    public long NextNumber { get; private set; } = 1;

    public Position Head { get { lock (_gate) { return _head; } } }

    public DateTimeOffset? Newest { get { lock (_gate) { return _newest; } } }

    public long Bytes { get { lock (_gate) { return _segments.Sum(s => s.Length); } } }

    /// <summary>Reads the folder, cuts the torn tail and seals what there is.</summary>
    public static KindLog Open(IDurableFiles files, string folder, LogSource source, Position floor, ILogger logger)
    {
        files.CreateFolder(folder);
        var log = new KindLog(files, folder, source, logger);
        log.Recover(floor);
        return log;
    }

    public bool KnowsKey(string key)
    {
        lock (_gate)
        {
            return _keys.ContainsKey(key);
        }
    }

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
                segment.Add(header);
                if (key is not null)
                {
                    _keys[key] = segment.Number;
                }
            }
            See(segment.Number, segment.Records, segment.Newest);
        }
    }

    /// <summary>Records in the ledger how far the segment goes; nothing behind its published length is ever read.</summary>
    public void Seal(Segment segment)
    {
        Ledger.Add([new SealedSegment(segment.Number, segment.Length, segment.Records, segment.Newest ?? DateTimeOffset.UnixEpoch)], []);
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

    /// <summary>Deletes sealed segments. The ledger knows before a file goes, so that no count ever misses them.</summary>
    public long Delete(IReadOnlyList<Segment> segments)
    {
        if (segments.Count == 0)
        {
            return 0;
        }
        lock (_gate)
        {
            Ledger.Add([], [.. segments.Select(s => new DeletedSegment(s.Number, s.Records, s.Newest ?? DateTimeOffset.UnixEpoch))]);
            foreach (Segment segment in segments)
            {
                _segments.Remove(segment);
            }
            var gone = segments.Select(s => s.Number).ToHashSet();
            foreach (string key in _keys.Where(k => gone.Contains(k.Value)).Select(k => k.Key).ToList())
            {
                _keys.Remove(key);
            }
        }
        foreach (Segment segment in segments)
        {
            _files.Delete(segment.Path);
        }
        _files.SyncFolder(Folder);
        return segments.Sum(s => s.Records);
    }

    public Position Read(Position after, Position upTo, Func<RawRecord, bool> visit, CancellationToken cancellationToken)
    {
        SegmentView[] views;
        lock (_gate)
        {
            // What becomes readable later must not count as passed.
            upTo = upTo > _head ? _head : upTo;
            views = [.. _segments.Where(s => s.Number >= after.Segment && s.Number <= upTo.Segment).Select(s => s.View())];
        }
        if (upTo <= after)
        {
            return after;
        }
        foreach (SegmentView view in views)
        {
            (long first, long last) = Range(view.Number, view.Records, after, upTo);
            int index = view.IndexOf(first);
            if (first > last || index == view.Count)
            {
                continue;
            }
            using SegmentReader? reader = OpenReader(view);
            for (; reader is not null && index < view.Count && view.Frames[index].FirstOrdinal <= last; index++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!reader.Visit(index, first, last, visit, out long stoppedAt))
                {
                    Damaged(view, index);
                }
                else if (stoppedAt >= 0)
                {
                    return new Position(view.Number, stoppedAt);
                }
            }
        }
        return upTo;
    }

    public RangeCount Count(Position after, Position upTo)
    {
        lock (_gate)
        {
            long kept = 0;
            long deleted = 0;
            foreach (Segment segment in _segments)
            {
                SegmentView view = segment.View();
                (long first, long last) = Range(view.Number, view.Records, after, upTo);
                if (first > last)
                {
                    continue;
                }
                long lost = 0;
                long indexed = view.Count == 0 ? 0 : view.Frames[view.Count - 1].EndOrdinal;
                lost += Math.Max(0, last - Math.Max(first, indexed) + 1);
                foreach (int frame in view.Damaged ?? new HashSet<int>())
                {
                    FramePlace place = view.Frames[frame];
                    lost += Math.Max(0, Math.Min(last, place.EndOrdinal - 1) - Math.Max(first, place.FirstOrdinal) + 1);
                }
                kept += last - first + 1 - lost;
                deleted += lost;
            }
            foreach (DeletedSegment segment in Ledger.Deleted.Values)
            {
                (long first, long last) = Range(segment.Number, segment.Records, after, upTo);
                deleted += Math.Max(0, last - first + 1);
            }
            return new RangeCount(kept, deleted);
        }
    }

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

    private SegmentReader? OpenReader(SegmentView view)
    {
        try
        {
            return new SegmentReader(_files.OpenRead(view.Path), view);
        }
        catch (FileNotFoundException e)
        {
            lock (_gate)
            {
                // Retention may have taken it since the view was made.
                if (!_segments.Any(s => s.Number == view.Number))
                {
                    return null;
                }
            }
            throw new LogStoreException($"The file {view.Path} of the log store is gone.", e);
        }
    }

    private void Damaged(SegmentView view, int index)
    {
        lock (_gate)
        {
            Segment? segment = _segments.Find(s => s.Number == view.Number);
            if (segment is null || !segment.MarkDamaged(index))
            {
                return;
            }
        }
        EmbeddedLog.FrameDamaged(_logger, view.Path, view.Frames[index].Offset, view.Frames[index].Count);
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
