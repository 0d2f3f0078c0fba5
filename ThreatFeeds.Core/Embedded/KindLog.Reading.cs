using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Reading, beside the writer and beside retention.</summary>
internal sealed partial class KindLog
{
    /// <summary>The place of a fault that is that of a whole segment.</summary>
    private const long WholeSegment = -1;

    /// <exception cref="LogStoreException">The disk cannot give all of it now, and it is not given up yet.</exception>
    public Position Read(Position after, Position upTo, Func<RawRecord, bool> visit, CancellationToken cancellationToken)
    {
        // What becomes readable later must not count as passed.
        Position head = Head;
        upTo = upTo > head ? head : upTo;
        if (upTo <= after)
        {
            return after;
        }
        ReadUnread(after.Segment, upTo.Segment);
        SegmentView[] views;
        lock (_gate)
        {
            views = [.. _segments.Where(s => s.Number >= after.Segment && s.Number <= upTo.Segment).Select(s => s.View())];
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
            var damaged = new List<DamagedRange>();
            try
            {
                for (; reader is not null && index < view.Count && view.Strides[index].First <= last; index++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    long stoppedAt = Visit(reader, view, index, (first, last), visit, damaged);
                    if (stoppedAt >= 0)
                    {
                        return new Position(view.Number, stoppedAt);
                    }
                }
            }
            finally
            {
                Note(view, damaged);
            }
        }
        return upTo;
    }

    /// <summary>Gives the records that are wanted and kept. Each frame is read and verified once, and none that has only records for which there is no room any more.</summary>
    public void Find(IEnumerable<Wanted> places, Finding finding, CancellationToken cancellationToken)
    {
        foreach (IGrouping<long, Wanted> ofSegment in places.GroupBy(p => p.Position.Segment))
        {
            ReadUnread(ofSegment.Key, ofSegment.Key);
            SegmentView view;
            lock (_gate)
            {
                if (_segments.Find(s => s.Number == ofSegment.Key) is not { } segment)
                {
                    continue;
                }
                view = segment.View();
            }
            using SegmentReader? reader = OpenReader(view, chunkBytes: 0);
            var damaged = new List<DamagedRange>();
            foreach (IGrouping<int, Wanted> ofStride in ofSegment.GroupBy(p => view.IndexOf(p.Position.Ordinal)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                Dictionary<long, Wanted> wanted = ofStride.Where(p => p.Order < finding.Passed).ToDictionary(p => p.Position.Ordinal);
                if (reader is null || ofStride.Key == view.Count || wanted.Count == 0)
                {
                    continue;
                }
                Visit(reader, view, ofStride.Key, (wanted.Keys.Min(), wanted.Keys.Max()), record =>
                {
                    if (wanted.TryGetValue(record.Position.Ordinal, out Wanted one))
                    {
                        finding.Take(one, record);
                    }
                    return true;
                }, damaged);
            }
            Note(view, damaged);
        }
    }

    private long Visit(SegmentReader reader, in SegmentView view, int index, (long First, long Last) ordinals, Func<RawRecord, bool> visit, List<DamagedRange> damaged)
    {
        try
        {
            long stoppedAt = reader.Visit(index, ordinals.First, ordinals.Last, visit, damaged);
            _faults.Settled(view.Number, view.Strides[index].First);
            return stoppedAt;
        }
        catch (IOException e)
        {
            throw Unreadable(view.Path, e);
        }
    }

    /// <summary>
    /// How a batch stands to what was stored under its key. A frame that is damaged, or that the disk could not give for long, says nothing: its records are gone.
    /// While it may still come, the batch is refused: to take it for new could store it twice.
    /// </summary>
    public KeyUse UseOf(string key, ReadOnlySpan<byte> frame)
    {
        KeyPlace place;
        string path;
        lock (_gate)
        {
            if (!_keys.TryGet(key, out place) || _segments.Find(s => s.Number == place.Segment) is not { } segment)
            {
                return KeyUse.New;
            }
            path = segment.Path;
        }
        byte[] stored = GC.AllocateUninitializedArray<byte>(place.Length);
        try
        {
            // Should the file not open, the batch is refused as well.
            using IDurableFile file = _files.OpenRead(path);
            int length = Read(file, place, stored);
            if (!Frame.TryReadHeader(stored.AsSpan(0, length), out FrameHeader known) || !Frame.IsSound(stored.AsSpan(0, length), known))
            {
                return KeyUse.New;
            }
            Frame.TryReadHeader(frame, out FrameHeader header);
            return Frame.SameContent(stored, known, frame, header) ? KeyUse.Repeated : KeyUse.Reused;
        }
        catch (FileNotFoundException)
        {
            return KeyUse.New;
        }
    }

    /// <summary>Bytes read; none where the disk could not give them for long.</summary>
    private int Read(IDurableFile file, KeyPlace place, byte[] to)
    {
        try
        {
            int read = file.Read(place.Offset, to);
            _keyFaults.Settled(place.Segment, place.Offset);
            return read;
        }
        catch (IOException e) when (_keyFaults.IsOver(place.Segment, place.Offset))
        {
            EmbeddedLog.KeyUnreadable(_logger, Source.Name, e);
            return 0;
        }
    }

    /// <summary>Null when there is nothing to read: the segment was deleted meanwhile, or is given up.</summary>
    private SegmentReader? OpenReader(SegmentView view, int chunkBytes = SegmentReader.ChunkBytes)
    {
        try
        {
            return new SegmentReader(_files.OpenRead(view.Path), view, (stride, lost) => MayPass(view, stride.First, lost), chunkBytes);
        }
        catch (IOException e)
        {
            lock (_gate)
            {
                // Retention may have taken it since the view was made.
                if (!_segments.Any(s => s.Number == view.Number))
                {
                    return null;
                }
            }
            return MayPass(view, WholeSegment, [new DamagedRange(view.Number, 0, view.Records)]) ? null : throw Unreadable(view.Path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unreadable(view.Path, e);
        }
    }

    /// <summary>Whether records are known to be lost, or are given up now.</summary>
    private bool MayPass(SegmentView view, long place, IReadOnlyList<DamagedRange> lost)
    {
        if (lost.All(l => view.Damaged.Any(d => d.Holds(l))))
        {
            return true;
        }
        if (!_faults.IsOver(view.Number, place))
        {
            return false;
        }
        // Written down first: where the disk takes nothing either, it is away, and nothing is given up.
        Ledger.Add([], [], lost);
        lock (_gate)
        {
            _segments.Find(s => s.Number == view.Number)?.MarkDamaged(lost);
        }
        EmbeddedLog.GivenUp(_logger, view.Path, lost.Sum(l => l.Records), lost[0].First, null);
        return true;
    }

    /// <summary>Counts damage that was met: together, since each writing of the ledger is synced and a whole segment may be damaged.</summary>
    private void Note(SegmentView view, List<DamagedRange> damaged)
    {
        if (damaged.Count == 0)
        {
            return;
        }
        IReadOnlyList<DamagedRange> fresh;
        lock (_gate)
        {
            if (_segments.Find(s => s.Number == view.Number) is not { } segment || (fresh = segment.MarkDamaged(damaged)).Count == 0)
            {
                return;
            }
        }
        EmbeddedLog.FramesDamaged(_logger, view.Path, fresh.Sum(d => d.Records), fresh[0].First);
        try
        {
            Ledger.Add([], [], fresh);
        }
        catch (IOException e)
        {
            EmbeddedLog.DamageNotNoted(_logger, view.Path, e);
        }
    }
}

/// <summary>How a batch stands to what was stored under its idempotency key.</summary>
internal enum KeyUse
{
    /// <summary>Nothing is kept under the key.</summary>
    New,
    /// <summary>The same records.</summary>
    Repeated,
    /// <summary>Other records.</summary>
    Reused,
}
