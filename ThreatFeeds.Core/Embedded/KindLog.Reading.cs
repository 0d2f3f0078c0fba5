using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Reading, beside the writer and beside retention.</summary>
internal sealed partial class KindLog
{
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
            var damaged = new List<DamagedRange>();
            try
            {
                for (; reader is not null && index < view.Count && view.Strides[index].First <= last; index++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (reader.Visit(index, first, last, visit, damaged) is >= 0 and var stoppedAt)
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
                reader.Visit(ofStride.Key, wanted.Keys.Min(), wanted.Keys.Max(), record =>
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
            // Should the file not open, the batch is refused: to take it for new could store it twice.
            using IDurableFile file = _files.OpenRead(path);
            int length = Read(file, place.Offset, stored);
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

    /// <summary>Bytes read; none where the disk cannot give them any more.</summary>
    private int Read(IDurableFile file, long offset, byte[] to)
    {
        try
        {
            return file.Read(offset, to);
        }
        catch (IOException e)
        {
            EmbeddedLog.KeyUnreadable(_logger, Source.Name, e);
            return 0;
        }
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
