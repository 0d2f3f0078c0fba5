using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace ThreatFeeds.Sets;

/// <summary>
/// A chunk of sorted entries as bytes. Newest form (2): the length of what was compressed as a varint, then, compressed with Brotli, the Unix second of the chunk's newest
/// entry, the lengths of the first three columns, and four columns: for each entry the length it shares with the one before, the length of the rest, the seconds between
/// the newest entry and this one (varints), and the rests. What is alike stands together, and the compressor is called once. See <see cref="DecodedChunk"/>.
/// </summary>
internal static class SetChunkCodec
{
    /// <summary>Entries a chunk: small enough to decode for one look-up, large enough to compress.</summary>
    public const int Entries = 65_536;

    /// <summary>Bytes before the columns.</summary>
    internal const int Head = 8 + 3 * 4;

    // Higher ones take two to four times as long to save a twentieth.
    private const int Quality = 1, Window = 22;

    public static byte[] Encode(DatedSet set, int from, int count)
    {
        long newest = 0;
        int text = 0;
        for (int i = from; i < from + count; i++)
        {
            newest = Math.Max(newest, set.Since[i]);
            text += set.Set[i].Length;
        }
        // Lengths stay below 256, which takes two bytes at most.
        byte[] raw = ArrayPool<byte>.Shared.Rent(Head + count * (2 + 2 + 10) + text);
        byte[] rest = ArrayPool<byte>.Shared.Rent(count * 2), since = ArrayPool<byte>.Shared.Rent(count * 10), rests = ArrayPool<byte>.Shared.Rent(text);
        int end = Head, restEnd = 0, sinceEnd = 0, restsEnd = 0;
        ReadOnlySpan<byte> previous = default;
        for (int i = from; i < from + count; i++)
        {
            ReadOnlySpan<byte> entry = set.Set[i];
            int shared = previous.CommonPrefixLength(entry);
            end = Write(raw, end, (ulong)shared);
            restEnd = Write(rest, restEnd, (ulong)(entry.Length - shared));
            sinceEnd = Write(since, sinceEnd, (ulong)(newest - set.Since[i]));
            entry[shared..].CopyTo(rests.AsSpan(restsEnd));
            restsEnd += entry.Length - shared;
            previous = entry;
        }
        BinaryPrimitives.WriteInt64LittleEndian(raw, newest);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(8), end - Head);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(12), restEnd);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(16), sinceEnd);
        end = Append(raw, end, rest, restEnd);
        end = Append(raw, end, since, sinceEnd);
        end = Append(raw, end, rests, restsEnd);
        byte[] data = Compress(raw.AsSpan(0, end));
        ArrayPool<byte>.Shared.Return(raw);
        return data;
    }

    private static int Append(byte[] to, int at, byte[] column, int length)
    {
        column.AsSpan(0, length).CopyTo(to.AsSpan(at));
        ArrayPool<byte>.Shared.Return(column);
        return at + length;
    }

    private static byte[] Compress(ReadOnlySpan<byte> raw)
    {
        byte[] to = ArrayPool<byte>.Shared.Rent(5 + BrotliEncoder.GetMaxCompressedLength(raw.Length));
        int head = Write(to, 0, (ulong)raw.Length);
        if (!BrotliEncoder.TryCompress(raw, to.AsSpan(head), out int length, Quality, Window))
        {
            throw new InvalidOperationException("A chunk takes more room than its greatest length.");
        }
        byte[] data = to[..(head + length)];
        ArrayPool<byte>.Shared.Return(to);
        return data;
    }

    private static int Write(byte[] to, int at, ulong value)
    {
        for (; value > 127; value >>= 7)
        {
            to[at++] = (byte)(value | 128);
        }
        to[at++] = (byte)value;
        return at;
    }
}
