using System.Buffers;
using System.Text.Json;

namespace ThreatFeeds.Logs;

/// <summary>The unescaped bytes of a JSON string; a string without escapes is not copied.</summary>
internal ref struct JsonText
{
    private byte[]? _rented;

    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>False when the current token is no text or stands for "absent": null, empty, or a dash.</summary>
    public bool TryRead(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }
        if (!reader.ValueIsEscaped)
        {
            Bytes = reader.ValueSpan;
        }
        else
        {
            Dispose();
            _rented = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
            try
            {
                Bytes = _rented.AsSpan(0, reader.CopyString(_rented));
            }
            catch (InvalidOperationException)
            {
                // A lone surrogate: such text is no name and no address.
                return false;
            }
        }
        return !Bytes.IsEmpty && !Bytes.SequenceEqual("-"u8);
    }

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
