using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Reading, beside the writer and beside retention.</summary>
internal sealed partial class KindLog
{
    /// <summary>Bytes read at once where single frames are wanted.</summary>
    private const int FindChunkBytes = 64 << 10;

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

    /// <summary>Records at the positions that are kept. Each frame is read and verified once.</summary>
    public List<RawRecord> Find(IEnumerable<Position> positions, CancellationToken cancellationToken)
    {
        var found = new List<RawRecord>();
        foreach (IGrouping<long, Position> ofSegment in positions.Distinct().Order().GroupBy(p => p.Segment))
        {
            SegmentView view;
            lock (_gate)
            {
                if (_segments.Find(s => s.Number == ofSegment.Key) is not { } segment)
                {
                    continue;
                }
                view = segment.View();
            }
            using SegmentReader? reader = OpenReader(view, FindChunkBytes);
            foreach (IGrouping<int, Position> ofFrame in ofSegment.GroupBy(p => view.IndexOf(p.Ordinal)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (reader is null || ofFrame.Key == view.Count)
                {
                    continue;
                }
                var wanted = ofFrame.Select(p => p.Ordinal).ToHashSet();
                bool whole = reader.Visit(ofFrame.Key, wanted.Min(), wanted.Max(), record =>
                {
                    if (wanted.Contains(record.Position.Ordinal))
                    {
                        found.Add(record with { Line = record.Line.ToArray() });
                    }
                    return true;
                }, out _);
                if (!whole)
                {
                    Damaged(view, ofFrame.Key);
                }
            }
        }
        return found;
    }

    /// <summary>How a batch stands to what was stored under its key. A frame that cannot be read any more says nothing: its records are gone.</summary>
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
            using IDurableFile file = _files.OpenRead(path);
            if (file.Read(place.Offset, stored) < stored.Length || !Frame.IsWhole(stored))
            {
                return KeyUse.New;
            }
        }
        catch (FileNotFoundException)
        {
            return KeyUse.New;
        }
        return Frame.SameContent(stored, frame) ? KeyUse.Repeated : KeyUse.Reused;
    }

    private SegmentReader? OpenReader(SegmentView view, int chunkBytes = SegmentReader.ChunkBytes)
    {
        try
        {
            return new SegmentReader(_files.OpenRead(view.Path), view, chunkBytes);
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
        FramePlace place = view.Frames[index];
        EmbeddedLog.FrameDamaged(_logger, view.Path, place.Offset, place.Count);
        try
        {
            Ledger.Add([], [], [new DamagedRange(view.Number, place.FirstOrdinal, place.Count)]);
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
