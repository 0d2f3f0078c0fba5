using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThreatFeeds.Logs;

/// <summary>The unescaped bytes of a JSON string; a string without escapes is not copied.</summary>
internal ref struct JsonText
{
    private byte[]? _rented;

    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>False when the current token is no text or stands for "absent": null, empty, or a dash.</summary>
    public bool TryRead(in JsonWalker walker)
    {
        if (walker.TokenType != JsonTokenType.String)
        {
            return false;
        }
        if (!walker.ValueIsEscaped)
        {
            Bytes = walker.ValueSpan;
        }
        else
        {
            Dispose();
            _rented = ArrayPool<byte>.Shared.Rent(walker.ValueSpan.Length);
            if (!TryUnescape(walker.ValueSpan, _rented, out int length))
            {
                return false; // Such text is no name and no address.
            }
            Bytes = _rented.AsSpan(0, length);
        }
        return !Bytes.IsEmpty && !Bytes.SequenceEqual("-"u8);
    }

    /// <summary>
    /// Unescapes what stands between the quotes of a well-formed string; it never gets longer. False for a surrogate without its other half, which no
    /// UTF-8 can hold.
    /// </summary>
    public static bool TryUnescape(ReadOnlySpan<byte> escaped, Span<byte> to, out int length)
    {
        length = 0;
        while (true)
        {
            int plain = escaped.IndexOf((byte)'\\');
            ReadOnlySpan<byte> before = plain < 0 ? escaped : escaped[..plain];
            before.CopyTo(to[length..]);
            length += before.Length;
            if (plain < 0)
            {
                return true;
            }
            escaped = escaped[plain..];
            if (escaped[1] != 'u')
            {
                to[length++] = escaped[1] switch
                {
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    byte itself => itself,
                };
                escaped = escaped[2..];
                continue;
            }
            char unit = Unit(escaped);
            escaped = escaped[6..];
            if (!Rune.TryCreate(unit, out Rune rune))
            {
                if (escaped is not [(byte)'\\', (byte)'u', _, _, _, _, ..] || !Rune.TryCreate(unit, Unit(escaped), out rune))
                {
                    return false;
                }
                escaped = escaped[6..];
            }
            length += rune.EncodeToUtf8(to[length..]);
        }
    }

    private static char Unit(ReadOnlySpan<byte> escape) => (char)ushort.Parse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
        Bytes = default;
    }
}
