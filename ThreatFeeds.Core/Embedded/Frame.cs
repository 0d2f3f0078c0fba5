using System.Buffers.Binary;
using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>
/// A batch as it stands in a segment, whole or absent. Little-endian: body length (4), CRC-32C of all that follows (4), records (4),
/// arrival in ticks UTC (8), ordinal of the first record (8), lengths of format (2) and idempotency key (2), format, key, then each line as length (4) and bytes.
/// Its version is that of its segment (<see cref="Segment.Version"/>).
/// </summary>
internal static class Frame
{
    /// <summary>Bytes before the format; what a header walk reads of each frame.</summary>
    public const int HeaderBytes = 32;

    /// <summary>Longest frame; a body of 64 MiB of shortest lines stays below.</summary>
    public const int MostBytes = 512 << 20;

    /// <summary>UTF-8 bytes of an idempotency key.</summary>
    public const int LongestKey = 1024;

    private const int ChecksumAt = 4;
    private const int CheckedFrom = 8;
    private const int CountAt = 8;
    private const int ArrivalAt = 12;
    private const int OrdinalAt = 20;
    private const int FormatAt = 28;
    private const int KeyAt = 30;

    /// <summary>Bytes of the batch's frame.</summary>
    /// <exception cref="ArgumentException">It would be too long.</exception>
    public static int LengthOf(Logs.LogBatch batch) => Measure(batch, out _, out _);

    /// <summary>Encodes everything but the arrival, the ordinal and the checksum, which only the writer knows (<see cref="Seal"/>).</summary>
    public static byte[] Encode(Logs.LogBatch batch)
    {
        int length = Measure(batch, out int formatBytes, out int keyBytes);
        byte[] frame = GC.AllocateUninitializedArray<byte>(length);
        BinaryPrimitives.WriteInt32LittleEndian(frame, length - HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(CountAt), batch.Lines.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(FormatAt), (ushort)formatBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(KeyAt), (ushort)keyBytes);
        frame.AsSpan(ArrivalAt, FormatAt - ArrivalAt).Clear();
        int at = HeaderBytes;
        at += Encoding.UTF8.GetBytes(batch.Format, frame.AsSpan(at));
        at += batch.IdempotencyKey is null ? 0 : Encoding.UTF8.GetBytes(batch.IdempotencyKey, frame.AsSpan(at));
        foreach (ReadOnlyMemory<byte> line in batch.Lines)
        {
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(at), line.Length);
            line.Span.CopyTo(frame.AsSpan(at + sizeof(int)));
            at += sizeof(int) + line.Length;
        }
        return frame;
    }

    /// <summary>Puts in what is known only when the frame is written.</summary>
    public static void Seal(Span<byte> frame, DateTimeOffset arrivedAt, long firstOrdinal)
    {
        BinaryPrimitives.WriteInt64LittleEndian(frame[ArrivalAt..], arrivedAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(frame[OrdinalAt..], firstOrdinal);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumAt..], Crc32C.Of(frame[CheckedFrom..]));
    }

    /// <summary>Reads a header; false when it cannot be one. Nothing in it is proven before <see cref="IsWhole"/>.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }
        int body = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[CountAt..]);
        long ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes[ArrivalAt..]);
        int format = BinaryPrimitives.ReadUInt16LittleEndian(bytes[FormatAt..]);
        int key = BinaryPrimitives.ReadUInt16LittleEndian(bytes[KeyAt..]);
        if (body < format + key + ((long)count * sizeof(int)) || body > MostBytes - HeaderBytes || count <= 0 || ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks)
        {
            return false;
        }
        header = new FrameHeader(
            HeaderBytes + body, count, new DateTimeOffset(ticks, TimeSpan.Zero), BinaryPrimitives.ReadInt64LittleEndian(bytes[OrdinalAt..]), format, key);
        return true;
    }

    /// <summary>Whether two sound frames hold the same lines in the same format.</summary>
    public static bool SameContent(ReadOnlySpan<byte> a, in FrameHeader first, ReadOnlySpan<byte> b, in FrameHeader second) =>
        first.Count == second.Count && a.Slice(HeaderBytes, first.FormatBytes).SequenceEqual(b.Slice(HeaderBytes, second.FormatBytes))
        && a[first.LinesAt..].SequenceEqual(b[second.LinesAt..]);

    /// <summary>Whether these bytes are the whole frame of that header: its length, its checksum, and the lengths of its lines.</summary>
    public static bool IsSound(ReadOnlySpan<byte> frame, in FrameHeader header) =>
        frame.Length == header.Length && IsWhole(frame) && LinesFit(frame, header);

    /// <summary>Whether the lengths of the lines add up to the frame's; a right checksum alone does not say so.</summary>
    public static bool LinesFit(ReadOnlySpan<byte> frame, in FrameHeader header)
    {
        long at = header.LinesAt;
        for (int i = 0; i < header.Count; i++)
        {
            if (at + sizeof(int) > header.Length)
            {
                return false;
            }
            int length = BinaryPrimitives.ReadInt32LittleEndian(frame[(int)at..]);
            at += sizeof(int) + (long)length;
            if (length < 0 || at > header.Length)
            {
                return false;
            }
        }
        return at == header.Length;
    }

    /// <summary>Whether the checksum of a complete frame is right.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[ChecksumAt..]) == Crc32C.Of(frame[CheckedFrom..]);

    private static int Measure(Logs.LogBatch batch, out int formatBytes, out int keyBytes)
    {
        formatBytes = Encoding.UTF8.GetByteCount(batch.Format);
        keyBytes = batch.IdempotencyKey is null ? 0 : Encoding.UTF8.GetByteCount(batch.IdempotencyKey);
        if (formatBytes > LongestKey || keyBytes > LongestKey)
        {
            throw new ArgumentException($"The format and the idempotency key have at most {LongestKey} bytes.", nameof(batch));
        }
        long length = HeaderBytes + formatBytes + keyBytes;
        foreach (ReadOnlyMemory<byte> line in batch.Lines)
        {
            length += sizeof(int) + line.Length;
        }
        if (length > MostBytes)
        {
            throw new ArgumentException($"A batch has at most {MostBytes} bytes.", nameof(batch));
        }
        return (int)length;
    }
}

/// <param name="Length">Of the whole frame, in bytes.</param>
internal readonly record struct FrameHeader(int Length, int Count, DateTimeOffset ArrivedAt, long FirstOrdinal, int FormatBytes, int KeyBytes)
{
    public int LinesAt => Frame.HeaderBytes + FormatBytes + KeyBytes;
}
