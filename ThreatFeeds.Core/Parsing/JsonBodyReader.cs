using System.Buffers;
using System.Text.Json;

namespace ThreatFeeds.Parsing;

/// <summary>
/// Hands the tokens of a JSON body to a walker and to what takes its values. Held are 64 KiB, or as much as the longest value, or the longest
/// array whose length the path must know; never more than <see cref="MaxHeld"/>. Use: <c>while (await FillAsync()) Read(...)</c>.
/// </summary>
internal sealed class JsonBodyReader(Stream body)
{
    /// <summary>Bytes of a body held at once: 32 MiB.</summary>
    public const int MaxHeld = 32 << 20;

    private const int MaxHead = 1 << 20;

    private readonly ArrayBufferWriter<byte> _head = new();
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end;
    private bool _first = true, _final;
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = JsonFormat.MaxDepth });

    /// <summary>Up to the first MiB, for telling what kind of body it is.</summary>
    public ReadOnlyMemory<byte> Head => _head.WrittenMemory;

    /// <summary>The body began with a byte order mark.</summary>
    public bool HadMark { get; private set; }

    /// <summary>Nothing but white space has come so far.</summary>
    public bool Blank { get; private set; } = true;

    /// <summary>More than <see cref="MaxHeld"/> would have had to be held.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Reads more of the body; false when all of it has been read, or <see cref="TooLong"/>.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken ct)
    {
        if (_final)
        {
            return false;
        }
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_end, _start) = (_end - _start, 0);
        if (_end == _buffer.Length)
        {
            if (_end >= MaxHeld)
            {
                TooLong = true;
                return false;
            }
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        // As much as there is room for: what is half there is looked at anew each time, and so only when it has doubled.
        int wanted = _buffer.Length - _end;
        int read = await body.ReadAtLeastAsync(_buffer.AsMemory(_end), wanted, throwOnEndOfStream: false, ct);
        ReadOnlyMemory<byte> piece = _buffer.AsMemory(_end, read);
        _end += read;
        _final = read < wanted;
        if (_first)
        {
            _first = false;
            HadMark = piece.Span.StartsWith("\uFEFF"u8);
            _start = HadMark ? 3 : 0;
            piece = piece[_start..];
        }
        Blank = Blank && piece.Span.Trim(" \t\r\n"u8).IsEmpty;
        _head.Write(piece.Span[..(int)Math.Min(piece.Length, MaxHead - _head.WrittenCount)]);
        return true;
    }

    /// <summary>Takes the tokens that are whole. Throws <see cref="JsonException"/> when the body is no JSON.</summary>
    public void Read(JsonPathWalker walker, JsonValues values, CancellationToken ct)
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _final, _state);
        while (values.Unusable is null)
        {
            // Of a long path each token is work, and there may be millions of them here.
            ct.ThrowIfCancellationRequested();
            Utf8JsonReader before = walker.CountsFromEnd ? reader : default;
            if (!reader.Read())
            {
                break;
            }
            long length = 0;
            if (walker.NeedsLength(ref reader) && !TryMeasure(reader, out length))
            {
                reader = before; // Again when more of the array is there.
                break;
            }
            values.Take(ref reader, walker.Take(ref reader, length), walker.Ambiguous);
        }
        _start += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
    }

    private static bool TryMeasure(Utf8JsonReader ahead, out long length)
    {
        length = 0;
        int depth = ahead.CurrentDepth;
        while (ahead.Read())
        {
            if (ahead.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
            {
                if (ahead.CurrentDepth == depth)
                {
                    return true;
                }
            }
            else if (ahead.CurrentDepth == depth + 1 && ahead.TokenType != JsonTokenType.PropertyName)
            {
                length++;
            }
        }
        return false;
    }
}
