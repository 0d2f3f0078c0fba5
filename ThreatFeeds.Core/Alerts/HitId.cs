using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Alerts;

/// <summary>
/// A hit's identity: the same record and value give the same id in every search. It begins with the position, so that the ids of hits found one after the
/// other stand side by side in an index: anywhere in it, each would have a page of its own written.
/// </summary>
internal readonly record struct HitId(UInt128 Value)
{
    /// <summary>Bytes of an id in its column.</summary>
    public const int Bytes = 16;

    private const int Short = 512;

    /// <summary>The low four bytes of the segment, of the ordinal, and the first eight of SHA-256(source, position, value).</summary>
    public static HitId Of(LogSource source, Position position, string value)
    {
        int length = Encoding.UTF8.GetByteCount(source.Id) + 1 + 16 + Encoding.UTF8.GetByteCount(value);
        Span<byte> text = length <= Short ? stackalloc byte[Short] : new byte[length];
        text = text[..length];
        text.Clear();
        int place = Encoding.UTF8.GetBytes(source.Id, text) + 1;
        BinaryPrimitives.WriteInt64BigEndian(text[place..], position.Segment);
        BinaryPrimitives.WriteInt64BigEndian(text[(place + 8)..], position.Ordinal);
        Encoding.UTF8.GetBytes(value, text[(place + 16)..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        Span<byte> id = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)position.Segment);
        BinaryPrimitives.WriteUInt32BigEndian(id[4..], (uint)position.Ordinal);
        hash[..(Bytes - 8)].CopyTo(id[8..]);
        return Read(id);
    }

    /// <summary>The first bytes as an id.</summary>
    public static HitId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>As the column holds it.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }
}
