using System.Buffers.Binary;
using System.IO.Compression;

namespace ThreatFeeds.Sets;

/// <summary>
/// The entries of one chunk, in ascending order. Its memory serves for one chunk after the other. Form 1, which earlier versions wrote, has the fields of each
/// entry one after the other where form 2 has columns (<see cref="SetChunkCodec"/>), and does not say its length.
/// </summary>
internal sealed class DecodedChunk
{
    /// <summary>A name of 253 octets behind <c>*.</c>.</summary>
    private const int LongestEntry = 255;

    private byte[] _raw = [];
    private byte[] _bytes = [];
    private int[] _ends = [];
    private long[] _since = [];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int i] => _bytes.AsSpan(Start(i), _ends[i] - Start(i));

    /// <summary>The Unix second the entry has been listed since.</summary>
    public long Since(int i) => _since[i];

    /// <summary>Reads a chunk in place of the one before.</summary>
    /// <exception cref="InvalidDataException">It is not what a chunk of so many entries can be.</exception>
    public void Read(byte[] data, int format, int count)
    {
        if (_ends.Length < count)
        {
            (_ends, _since) = (new int[count], new long[count]);
        }
        Count = 0;
        if (format == 1)
        {
            ReadRows(DecompressStream(data, count), count);
        }
        else
        {
            ReadColumns(Decompress(data, count), count);
        }
        Count = count;
    }

    private int Start(int i) => i == 0 ? 0 : _ends[i - 1];

    // Nothing is taken for more than so many entries can have: damaged bytes may say anything.
    private static int Most(int count) => (int)Math.Min(Array.MaxLength, SetChunkCodec.Head + (LongestEntry + 5 + 5 + 10L) * count);

    private int Decompress(byte[] data, int count)
    {
        var head = new Cursor(data, 0, data.Length);
        int length = head.Length(Most(count));
        if (_raw.Length < length)
        {
            _raw = new byte[length];
        }
        return BrotliDecoder.TryDecompress(data.AsSpan(head.At), _raw.AsSpan(0, length), out int written) && written == length ? length : throw Damage();
    }

    private int DecompressStream(byte[] data, int count)
    {
        using var from = new BrotliStream(new MemoryStream(data), CompressionMode.Decompress);
        int length = 0, most = Most(count);
        while (true)
        {
            if (length == _raw.Length)
            {
                Array.Resize(ref _raw, Math.Min(most + 1, Math.Max(1 << 16, _raw.Length * 2)));
            }
            int read = from.Read(_raw.AsSpan(length));
            length += read;
            if (read == 0 || length > most)
            {
                return read == 0 ? length : throw Damage();
            }
        }
    }

    private void ReadRows(int length, int count)
    {
        var from = new Cursor(_raw, 0, length);
        long newest = from.Number();
        for (int i = 0, end = 0; i < count; i++)
        {
            int shared = from.Length(LongestEntry), rest = from.Length(LongestEntry);
            end = Add(i, end, shared, from.Bytes(rest));
            _since[i] = newest - (long)from.Varint();
        }
    }

    private void ReadColumns(int length, int count)
    {
        var head = new Cursor(_raw, 0, length);
        long newest = head.Number();
        Cursor shared = head.Column(0), rest = head.Column(1), since = head.Column(2);
        var rests = new Cursor(_raw, since.End, length);
        for (int i = 0, end = 0; i < count; i++)
        {
            end = Add(i, end, shared.Length(LongestEntry), rests.Bytes(rest.Length(LongestEntry)));
            _since[i] = newest - (long)since.Varint();
        }
        if (rests.At != rests.End)
        {
            throw Damage();
        }
    }

    /// <summary>Puts the entry behind the one before; returns where it ends.</summary>
    private int Add(int i, int end, int shared, ReadOnlySpan<byte> rest)
    {
        int previous = Start(i), before = i == 0 ? 0 : Start(i - 1), length = shared + rest.Length;
        // The first byte that is not shared decides that this one comes after the one before.
        if (i > 0 && (shared > previous - before || rest.IsEmpty || (shared < previous - before && rest[0] <= _bytes[before + shared])) || (i == 0 && shared > 0) || length > LongestEntry)
        {
            throw Damage();
        }
        if (_bytes.Length < end + length)
        {
            Array.Resize(ref _bytes, Math.Max(end + length, Math.Max(1 << 16, _bytes.Length * 2)));
        }
        _bytes.AsSpan(before, shared).CopyTo(_bytes.AsSpan(end));
        rest.CopyTo(_bytes.AsSpan(end + shared));
        return _ends[i] = end + length;
    }

    private static InvalidDataException Damage() => new("The bytes are not those of a chunk.");

    private struct Cursor(byte[] bytes, int at, int end)
    {
        public int At { get; private set; } = at;

        public readonly int End => end;

        public long Number() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

        /// <summary>One of the first three columns; the head stands before.</summary>
        public readonly Cursor Column(int number)
        {
            int start = SetChunkCodec.Head;
            for (int i = 0; ; i++)
            {
                int length = end < SetChunkCodec.Head ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8 + 4 * i));
                if (length < 0 || length > end - start)
                {
                    throw Damage();
                }
                if (i == number)
                {
                    return new Cursor(bytes, start, start + length);
                }
                start += length;
            }
        }

        public int Length(int most)
        {
            ulong length = Varint();
            return length <= (ulong)most ? (int)length : throw Damage();
        }

        public ReadOnlySpan<byte> Bytes(int length)
        {
            if (length > end - At)
            {
                throw Damage();
            }
            At += length;
            return bytes.AsSpan(At - length, length);
        }

        public ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; shift < 64; shift += 7)
            {
                if (At == end)
                {
                    break;
                }
                byte b = bytes[At++];
                value |= (ulong)(b & 127) << shift;
                if (b < 128)
                {
                    return value;
                }
            }
            throw Damage();
        }
    }
}
