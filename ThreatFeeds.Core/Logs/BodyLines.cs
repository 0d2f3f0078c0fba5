using System.Buffers;

namespace ThreatFeeds.Logs;

/// <summary>
/// The lines of a body, without their ends (LF or CRLF) and without a byte order mark before the first. A line that goes over a seam of the body is put
/// together; all others stay where they are.
/// </summary>
internal sealed class BodyLines
{
    private static readonly byte[] s_byteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly int _longest;
    private readonly ReadOnlySequence<byte> _body;
    private SequencePosition _next;
    private ReadOnlyMemory<byte> _part;

    /// <param name="longest">Bytes of the longest line that is given.</param>
    public BodyLines(ReadOnlySequence<byte> body, int longest)
    {
        _longest = longest;
        long mark = body.Slice(0, Math.Min(body.Length, s_byteOrderMark.Length)).ToArray().AsSpan().SequenceEqual(s_byteOrderMark) ? s_byteOrderMark.Length : 0;
        _body = body.Slice(mark);
        _next = _body.Start;
    }

    /// <summary>False at the end of the body. What follows the last line end is a line unless it is empty.</summary>
    /// <param name="line">Empty when it is too long.</param>
    public bool TryNext(out ReadOnlyMemory<byte> line, out bool tooLong)
    {
        tooLong = false;
        if (_part.IsEmpty && !NextPart())
        {
            line = default;
            return false;
        }
        int end = _part.Span.IndexOf((byte)'\n');
        if (end < 0)
        {
            line = PutTogether(out tooLong);
            return true;
        }
        line = WithoutReturn(_part[..end]);
        _part = _part[(end + 1)..];
        if (line.Length > _longest)
        {
            tooLong = true;
            line = default;
        }
        return true;
    }

    private ReadOnlyMemory<byte> PutTogether(out bool tooLong)
    {
        // One byte more than allowed for the CR; what goes past that is only passed over.
        var whole = new ArrayBufferWriter<byte>(Math.Min(_part.Length, _longest) + 1);
        tooLong = false;
        bool ended = false;
        do
        {
            int end = _part.Span.IndexOf((byte)'\n');
            ended = end >= 0;
            ReadOnlySpan<byte> more = ended ? _part.Span[..end] : _part.Span;
            tooLong |= more.Length > _longest + 1 - whole.WrittenCount;
            if (!tooLong)
            {
                whole.Write(more);
            }
            _part = ended ? _part[(end + 1)..] : default;
        }
        while (!ended && NextPart());
        ReadOnlyMemory<byte> line = WithoutReturn(whole.WrittenMemory);
        tooLong |= line.Length > _longest;
        return tooLong ? default : line;
    }

    private bool NextPart()
    {
        while (_body.TryGet(ref _next, out _part))
        {
            if (!_part.IsEmpty)
            {
                return true;
            }
        }
        return false;
    }

    private static ReadOnlyMemory<byte> WithoutReturn(ReadOnlyMemory<byte> line) => line.Span is [.., (byte)'\r'] ? line[..^1] : line;
}
