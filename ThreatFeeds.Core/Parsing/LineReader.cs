namespace ThreatFeeds.Parsing;

/// <summary>
/// Lines of a stream as bytes, without their line end. A line over the limit is not kept: it comes as empty and <see cref="TooLong"/>.
/// Use: <c>while (await FillAsync()) while (TryRead(...))</c>.
/// </summary>
internal sealed class LineReader(Stream body)
{
    /// <summary>Bytes of the longest line that is read: 1 MiB.</summary>
    public const int MaxLine = 1 << 20;

    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end, _scanned;
    private bool _ended, _skipping, _first = true;

    /// <summary>One-based number of the line read last.</summary>
    public long Line { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>The body began with a byte order mark.</summary>
    public bool HadMark { get; private set; }

    /// <summary>Lines that ended with CR LF.</summary>
    public long CarriageReturns { get; private set; }

    /// <summary>Up to the first 64 KiB, for telling what kind of body it is.</summary>
    public ReadOnlyMemory<byte> Head { get; private set; }

    /// <summary>The line read last was over the limit.</summary>
    public bool TooLong { get; private set; }

    /// <summary>The line read last ended with a line feed (the last line of a body may not).</summary>
    public bool Terminated { get; private set; }

    /// <summary>Reads more bytes; false when all lines have been read.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken ct)
    {
        if (_ended)
        {
            return _end > _start || _skipping;
        }
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_end, _scanned, _start) = (_end - _start, _scanned - _start, 0);
        }
        if (_end == _buffer.Length)
        {
            if (_end > MaxLine)
            {
                _skipping = true;
                _end = _scanned = 0;
            }
            else
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
        }
        int read = await body.ReadAtLeastAsync(_buffer.AsMemory(_end), _first ? Math.Min(1 << 16, _buffer.Length - _end) : 1, throwOnEndOfStream: false, ct);
        if (_first)
        {
            _first = false;
            HadMark = _buffer.AsSpan(0, read).StartsWith("\uFEFF"u8);
            _start = _scanned = HadMark ? 3 : 0;
            Head = _buffer.AsSpan(_start, read - _start).ToArray();
        }
        Bytes += read;
        _end += read;
        _ended = read == 0;
        return !_ended || _end > _start || _skipping;
    }

    /// <summary>The next line that is whole in memory.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        line = default;
        int at = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        Terminated = at >= 0;
        if (!Terminated)
        {
            _scanned = _end;
            if (!_ended || (_end == _start && !_skipping))
            {
                return false;
            }
        }
        int stop = Terminated ? _scanned + at : _end;
        TooLong = _skipping || stop - _start > MaxLine;
        line = TooLong ? default : _buffer.AsSpan(_start, stop - _start);
        if (line is [.., (byte)'\r'])
        {
            line = line[..^1];
            CarriageReturns++;
        }
        _skipping = false;
        _start = _scanned = Terminated ? stop + 1 : _end;
        Line++;
        return true;
    }
}
