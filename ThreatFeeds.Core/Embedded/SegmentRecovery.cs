using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>Reads the frames of a segment's file back into an index.</summary>
internal static class SegmentRecovery
{
    /// <summary>
    /// Of a sealed segment: by the headers of its frames, when they lead exactly to its sealed figures; checksums are looked at when a frame is read. Where a header is
    /// damaged, and of a segment that was being written: by whole frames, each checksum verified. What stands between two whole frames is damaged: its records are marked
    /// so, and those behind it stay readable. Behind the last whole frame of a segment that was being written stands its torn tail, as far as nothing of that was acknowledged.
    /// </summary>
    /// <param name="acknowledged">The sealed figures, or how far the segment is known to have been acknowledged. After a crash of the machine that may be too little: a frame
    /// behind it that is whole is taken, and what is missing before it counts as damaged rather than as never acknowledged.</param>
    /// <param name="onKey">Called with each idempotency key and its frame.</param>
    /// <exception cref="IOException">The disk cannot give it.</exception>
    /// <exception cref="Logs.LogStoreException">A later program wrote it.</exception>
    public static Segment Index(IDurableFile file, string path, Acknowledged acknowledged, bool isSealed, Action<string, FramePlace> onKey)
    {
        byte[] start = new byte[Segment.HeaderBytes];
        bool begins = file.Read(0, start) == start.Length;
        if (begins && Segment.IsHeader(start, acknowledged.Number, out int version))
        {
            NewerFormat.Refuse(path, version, Segment.Version);
        }
        else if (!begins || acknowledged.Records == 0)
        {
            // Of one that holds acknowledged records the file's beginning alone may be damaged.
            return new Segment(acknowledged.Number, path);
        }
        if (isSealed)
        {
            var quick = new Segment(acknowledged.Number, path);
            var keys = new List<(string Key, FramePlace Place)>();
            if (WalkHeaders(file, quick, acknowledged, (key, place) => keys.Add((key, place))))
            {
                keys.ForEach(k => onKey(k.Key, k.Place));
                return quick;
            }
        }
        var segment = new Segment(acknowledged.Number, path);
        WalkFrames(new Frames(file, isSealed ? acknowledged : null), segment, onKey);
        return segment;
    }

    /// <returns>Whether the headers led to where the segment is known to end.</returns>
    private static bool WalkHeaders(IDurableFile file, Segment segment, Acknowledged known, Action<string, FramePlace> onKey)
    {
        Span<byte> head = stackalloc byte[Frame.HeaderBytes];
        byte[] bytes = [];
        while (segment.Length < known.Length)
        {
            if (file.Read(segment.Length, head) < head.Length || !Frame.TryReadHeader(head, out FrameHeader header) || header.FirstOrdinal != segment.Records
                || header.Length > known.Length - segment.Length || header.Count > known.Records - segment.Records)
            {
                return false;
            }
            // Nothing is newer than what was acknowledged last, whatever a damaged header says.
            FramePlace place = segment.Add(header with { ArrivedAt = known.Newest });
            if (header.KeyBytes > 0)
            {
                Array.Resize(ref bytes, header.KeyBytes);
                int read = file.Read(place.Offset + Frame.HeaderBytes + header.FormatBytes, bytes);
                onKey(Encoding.UTF8.GetString(bytes, 0, read), place);
            }
        }
        return segment.Records == known.Records && file.Length >= known.Length;
    }

    private static void WalkFrames(Frames frames, Segment segment, Action<string, FramePlace> onKey)
    {
        while (true)
        {
            if (frames.TryRead(segment.Length, out FrameHeader header) && header.FirstOrdinal == segment.Records)
            {
                FramePlace place = segment.Add(header);
                if (header.KeyBytes > 0)
                {
                    onKey(Encoding.UTF8.GetString(frames.Bytes.Slice(Frame.HeaderBytes + header.FormatBytes, header.KeyBytes)), place);
                }
            }
            else if (frames.TryFind(segment.Length + 1, segment.Records, out long offset, out header))
            {
                segment.AddLost(offset, header.FirstOrdinal);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Whole frames of a file.</summary>
    /// <param name="bound">What they are known to end with; null when that is not known.</param>
    private sealed class Frames(IDurableFile file, Acknowledged? bound)
    {
        private const int WindowBytes = 1 << 20;

        private readonly long _end = Math.Min(file.Length, bound?.Length ?? long.MaxValue);
        private readonly long _records = bound?.Records ?? Segment.MostNumber;
        private byte[] _bytes = [];
        private int _length;

        /// <summary>The frame read last.</summary>
        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

        public bool TryRead(long offset, out FrameHeader header)
        {
            Span<byte> head = stackalloc byte[Frame.HeaderBytes];
            header = default;
            return file.Read(offset, head) == head.Length && Frame.TryReadHeader(head, out header) && IsWhole(offset, header);
        }

        /// <summary>Looks for the first whole frame at or behind the offset whose records are at or behind the ordinal.</summary>
        public bool TryFind(long from, long ordinal, out long offset, out FrameHeader header)
        {
            byte[] window = new byte[WindowBytes];
            while (_end - from >= Frame.HeaderBytes)
            {
                int read = file.Read(from, window.AsSpan(0, (int)Math.Min(window.Length, _end - from)));
                if (read < Frame.HeaderBytes)
                {
                    break;
                }
                for (int at = 0; at <= read - Frame.HeaderBytes; at++)
                {
                    if (Frame.TryReadHeader(window.AsSpan(at), out header) && header.FirstOrdinal >= ordinal && IsWhole(from + at, header))
                    {
                        offset = from + at;
                        return true;
                    }
                }
                from += read - Frame.HeaderBytes + 1;
            }
            (offset, header) = (0, default);
            return false;
        }

        private bool IsWhole(long offset, in FrameHeader header)
        {
            if (header.Length > _end - offset || header.FirstOrdinal < 0 || header.FirstOrdinal > _records - header.Count)
            {
                return false;
            }
            if (_bytes.Length < header.Length)
            {
                _bytes = GC.AllocateUninitializedArray<byte>(header.Length);
            }
            _length = header.Length;
            return file.Read(offset, _bytes.AsSpan(0, _length)) == _length && Frame.IsSound(Bytes, header);
        }
    }
}
