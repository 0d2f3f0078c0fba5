using System.IO.Compression;
using ThreatFeeds.Indicators;

namespace ThreatFeeds.Sets;

/// <summary>
/// A chunk of sorted entries as bytes: for each entry the length it shares with the one before, the length of the rest, the rest,
/// and the seconds between the chunk's newest entry and this one (all numbers as 7-bit varints); the whole compressed with Brotli.
/// </summary>
internal static class SetChunkCodec
{
    /// <summary>Entries a chunk: small enough to decode for one look-up, large enough to compress.</summary>
    public const int Entries = 65_536;

    public static byte[] Encode(IndicatorSet set, ReadOnlySpan<long> since, int from, int count)
    {
        long newest = 0;
        for (int i = from; i < from + count; i++)
        {
            newest = Math.Max(newest, since[i]);
        }
        using var to = new MemoryStream();
        using (var compress = new BrotliStream(to, CompressionLevel.Fastest, leaveOpen: true))
        using (var write = new BinaryWriter(compress))
        {
            write.Write(newest);
            ReadOnlySpan<byte> previous = default;
            for (int i = from; i < from + count; i++)
            {
                ReadOnlySpan<byte> entry = set[i];
                int shared = previous.CommonPrefixLength(entry);
                write.Write7BitEncodedInt(shared);
                write.Write7BitEncodedInt(entry.Length - shared);
                write.Write(entry[shared..]);
                write.Write7BitEncodedInt64(newest - since[i]);
                previous = entry;
            }
        }
        return to.ToArray();
    }

    /// <summary>Gives each entry with the Unix second it has been listed since.</summary>
    public static void Decode(byte[] data, int count, Action<ReadOnlySpan<byte>, long> entry)
    {
        using var read = new BinaryReader(new BufferedStream(new BrotliStream(new MemoryStream(data), CompressionMode.Decompress), 1 << 16));
        long newest = read.ReadInt64();
        Span<byte> buffer = stackalloc byte[512];
        for (int i = 0; i < count; i++)
        {
            int shared = read.Read7BitEncodedInt();
            int rest = read.Read7BitEncodedInt();
            read.BaseStream.ReadExactly(buffer.Slice(shared, rest));
            entry(buffer[..(shared + rest)], newest - read.Read7BitEncodedInt64());
        }
    }
}
