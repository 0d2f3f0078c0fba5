using System.Buffers.Binary;
using System.Buffers;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Reads frames of one segment in big chunks into one buffer; lines are slices of it.</summary>
internal sealed class SegmentReader(IDurableFile file, SegmentView view, int chunkBytes = SegmentReader.ChunkBytes) : IDisposable
{
    /// <summary>Bytes read at once where frames follow each other.</summary>
    public const int ChunkBytes = 1 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(chunkBytes);
    private long _from;
    private int _length;
    private byte[] _formatBytes = [];
    private string _format = "";

    /// <summary>Visits the records of one frame whose ordinals are in the range. <paramref name="stoppedAt"/> is the ordinal at which the visitor stopped, else -1.</summary>
    /// <returns>False when the frame is damaged; then nothing of it was visited.</returns>
    public bool Visit(int index, long firstOrdinal, long lastOrdinal, Func<RawRecord, bool> visit, out long stoppedAt)
    {
        stoppedAt = -1;
        FramePlace place = view.Frames[index];
        ReadOnlyMemory<byte> frame = Load(place);
        if (frame.Length < place.Length || !Frame.TryReadHeader(frame.Span, out FrameHeader header) || header.Length != place.Length
            || header.Count != place.Count || header.FirstOrdinal != place.FirstOrdinal || !Frame.IsWhole(frame.Span)
            || !Frame.LinesFit(frame.Span, header))
        {
            return false;
        }
        string format = Format(frame.Span.Slice(Frame.HeaderBytes, header.FormatBytes));
        int at = header.LinesAt;
        long last = Math.Min(lastOrdinal, place.EndOrdinal - 1);
        for (long ordinal = place.FirstOrdinal; ordinal <= last; ordinal++)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(frame.Span[at..]);
            at += sizeof(int);
            if (ordinal >= firstOrdinal && !visit(new RawRecord(new Position(view.Number, ordinal), format, header.ArrivedAt, frame.Slice(at, length))))
            {
                stoppedAt = ordinal;
                return true;
            }
            at += length;
        }
        return true;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        file.Dispose();
    }

    private ReadOnlyMemory<byte> Load(FramePlace place)
    {
        if (place.Offset < _from || place.Offset + place.Length > _from + _length)
        {
            int wanted = (int)Math.Min(Math.Max(chunkBytes, place.Length), view.Length - place.Offset);
            if (_buffer.Length < wanted)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = ArrayPool<byte>.Shared.Rent(wanted);
            }
            _from = place.Offset;
            _length = file.Read(_from, _buffer.AsSpan(0, wanted));
        }
        int start = (int)(place.Offset - _from);
        return _buffer.AsMemory(start, Math.Max(0, Math.Min(place.Length, _length - start)));
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
