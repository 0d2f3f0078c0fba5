using System.Buffers.Binary;
using System.Buffers;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Reads frames of one segment in big chunks into one buffer; lines are slices of it.</summary>
/// <param name="mayPass">Whether the records may be passed over that would be lost of a stride because the disk cannot give all of it.</param>
internal sealed class SegmentReader(IDurableFile file, SegmentView view, Func<Stride, IReadOnlyList<DamagedRange>, bool> mayPass, int chunkBytes = SegmentReader.ChunkBytes) : IDisposable
{
    /// <summary>Bytes read at once where frames follow each other.</summary>
    public const int ChunkBytes = 1 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(chunkBytes);
    private long _from;
    private int _length;
    private byte[] _formatBytes = [];
    private string _format = "";

    /// <summary>Visits the records of one stride whose ordinals are in the range. Damaged frames are passed over.</summary>
    /// <param name="damaged">Takes the ordinals of what was met and is damaged.</param>
    /// <returns>The ordinal at which the visitor stopped, else -1.</returns>
    /// <exception cref="IOException">The disk cannot give it, and what stands there may not be passed over.</exception>
    public long Visit(int index, long firstOrdinal, long lastOrdinal, Func<RawRecord, bool> visit, List<DamagedRange> damaged)
    {
        Stride stride = view.Strides[index];
        Stride end = view.EndOf(index);
        if (stride.Lost)
        {
            return -1;
        }
        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = Load(stride, end);
        }
        catch (IOException)
        {
            bytes = LoadHoled(stride, end);
            var lost = new List<DamagedRange>();
            Visit(bytes, stride, end, stride.First, end.First - 1, _ => true, lost);
            if (!mayPass(stride, lost))
            {
                throw;
            }
        }
        return Visit(bytes, stride, end, firstOrdinal, lastOrdinal, visit, damaged);
    }

    private long Visit(ReadOnlyMemory<byte> bytes, Stride stride, Stride end, long firstOrdinal, long lastOrdinal, Func<RawRecord, bool> visit, List<DamagedRange> damaged)
    {
        int at = 0;
        long ordinal = stride.First;
        while (ordinal < end.First && ordinal <= lastOrdinal)
        {
            bool fits = Frame.TryReadHeader(bytes.Span[at..], out FrameHeader header)
                && header.FirstOrdinal == ordinal && header.Count <= end.First - ordinal && header.Length <= bytes.Length - at;
            bool wanted = fits && ordinal + header.Count > firstOrdinal;
            if (!fits || (wanted && !Frame.IsSound(bytes.Span.Slice(at, header.Length), header)))
            {
                // What it says of its own length and count may be the damage, so that only a frame that is whole says where to go on.
                at = NextSound(bytes.Span, at, ordinal, end.First, out long next);
                if (next > ordinal)
                {
                    damaged.Add(new DamagedRange(view.Number, ordinal, next - ordinal));
                }
                ordinal = next;
                continue;
            }
            if (wanted && Visit(bytes.Slice(at, header.Length), header, firstOrdinal, lastOrdinal, visit) is >= 0 and var stoppedAt)
            {
                return stoppedAt;
            }
            at += header.Length;
            ordinal += header.Count;
        }
        return -1;
    }

    private long Visit(ReadOnlyMemory<byte> frame, in FrameHeader header, long firstOrdinal, long lastOrdinal, Func<RawRecord, bool> visit)
    {
        string format = Format(frame.Span.Slice(Frame.HeaderBytes, header.FormatBytes));
        int at = header.LinesAt;
        long last = Math.Min(lastOrdinal, header.FirstOrdinal + header.Count - 1);
        for (long ordinal = header.FirstOrdinal; ordinal <= last; ordinal++)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(frame.Span[at..]);
            at += sizeof(int);
            if (ordinal >= firstOrdinal && !visit(new RawRecord(new Position(view.Number, ordinal), format, header.ArrivedAt, frame.Slice(at, length))))
            {
                return ordinal;
            }
            at += length;
        }
        return -1;
    }

    /// <summary>The place of the next sound frame behind a damaged one, and its first record; the end when there is none.</summary>
    private static int NextSound(ReadOnlySpan<byte> bytes, int damagedAt, long ordinal, long endOrdinal, out long first)
    {
        // A stride longer than that is one frame.
        for (int at = damagedAt + 1; bytes.Length <= Stride.Bytes && at <= bytes.Length - Frame.HeaderBytes; at++)
        {
            if (Frame.TryReadHeader(bytes[at..], out FrameHeader header) && header.FirstOrdinal >= ordinal && header.Count <= endOrdinal - header.FirstOrdinal
                && header.Length <= bytes.Length - at && Frame.IsSound(bytes.Slice(at, header.Length), header))
            {
                first = header.FirstOrdinal;
                return at;
            }
        }
        first = endOrdinal;
        return bytes.Length;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        file.Dispose();
    }

    /// <summary>The stride's bytes, fewer where the file ends before.</summary>
    private ReadOnlyMemory<byte> Load(Stride stride, Stride end)
    {
        if (stride.Offset < _from || end.Offset > _from + _length)
        {
            int length = Room(stride, Math.Max(chunkBytes, end.Offset - stride.Offset));
            int needed = (int)Math.Min(length, end.Offset - stride.Offset);
            _from = stride.Offset;
            _length = 0;
            try
            {
                _length = file.Read(_from, _buffer.AsSpan(0, length));
            }
            catch (IOException) when (needed < length)
            {
                // What cannot be read may stand behind what is asked for.
                _length = file.Read(_from, _buffer.AsSpan(0, needed));
            }
        }
        int start = (int)(stride.Offset - _from);
        return _buffer.AsMemory(start, (int)Math.Clamp(end.Offset - stride.Offset, 0, _length - start));
    }

    /// <summary>The stride's bytes with zeros where the disk gives none. Not kept: the next visit tries again.</summary>
    private ReadOnlyMemory<byte> LoadHoled(Stride stride, Stride end)
    {
        int length = Room(stride, end.Offset - stride.Offset);
        _length = 0;
        return _buffer.AsMemory(0, new HoledFile(file).Read(stride.Offset, _buffer.AsSpan(0, length)));
    }

    /// <summary>Makes room for so many bytes from the stride on, as far as there are any.</summary>
    private int Room(Stride stride, long bytes)
    {
        int length = (int)Math.Clamp(Math.Min(view.End.Offset, file.Length) - stride.Offset, 0, bytes);
        if (_buffer.Length < length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(length);
        }
        return length;
    }

    private string Format(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.SequenceEqual(_formatBytes))
        {
            _formatBytes = bytes.ToArray();
            _format = Encoding.UTF8.GetString(bytes);
        }
        return _format;
    }
}
