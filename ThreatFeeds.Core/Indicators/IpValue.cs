using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ThreatFeeds.Indicators;

/// <summary>An IPv4 or IPv6 address; v4-mapped v6 is v4.</summary>
/// <param name="IsV6">False for v4 and for v4-mapped v6.</param>
/// <param name="Bits">The address as a number; v4 in the low 32 bits.</param>
public readonly record struct IpValue(bool IsV6, UInt128 Bits)
{
    private const uint MappedMarker = 0xFFFF;

    /// <summary>32 or 128.</summary>
    public int Width => IsV6 ? 128 : 32;

    /// <summary>Parses the textual forms Go's netip accepts and no others (no zone): .NET's own parser also takes <c>1</c>, octal and ports.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpValue value)
    {
        foreach (byte b in text)
        {
            if (b == '.')
            {
                bool ok = TryParseV4(text, out uint v4);
                value = new IpValue(false, v4);
                return ok;
            }
            if (b == ':')
            {
                bool ok = TryParseV6(text, out UInt128 v6);
                value = FromV6(v6);
                return ok;
            }
        }
        value = default;
        return false;
    }

    /// <summary>Of 4 or 16 bytes in network order; v4-mapped becomes v4.</summary>
    public static IpValue FromBytes(ReadOnlySpan<byte> network) =>
        network.Length == 4 ? new IpValue(false, BinaryPrimitives.ReadUInt32BigEndian(network)) : FromV6(BinaryPrimitives.ReadUInt128BigEndian(network));

    /// <summary>Canonical text (RFC 5952 for v6).</summary>
    public override string ToString()
    {
        if (!IsV6)
        {
            uint v = (uint)Bits;
            return string.Create(CultureInfo.InvariantCulture, $"{v >> 24}.{v >> 16 & 255}.{v >> 8 & 255}.{v & 255}");
        }
        Span<ushort> groups = stackalloc ushort[8];
        for (int i = 0; i < 8; i++)
        {
            groups[i] = (ushort)(Bits >> (112 - 16 * i));
        }
        (int start, int length) = LongestZeros(groups);
        var to = new StringBuilder(39);
        for (int i = 0; i < 8; i++)
        {
            if (i == start)
            {
                to.Append("::");
                i += length - 1;
                continue;
            }
            if (i > 0 && i != start + length)
            {
                to.Append(':');
            }
            to.Append(groups[i].ToString("x", CultureInfo.InvariantCulture));
        }
        return to.ToString();
    }

    internal bool IsMappedBlock => IsV6 && Bits >> 32 == MappedMarker;

    private static IpValue FromV6(UInt128 bits) => bits >> 32 == MappedMarker ? new IpValue(false, (uint)bits) : new IpValue(true, bits);

    // RFC 5952: the longest run of zeros, the first of equals, never a single group. (8, 0) when there is none.
    private static (int Start, int Length) LongestZeros(ReadOnlySpan<ushort> groups)
    {
        int start = 8, length = 0;
        for (int i = 0; i < 8; i++)
        {
            int run = 0;
            while (i + run < 8 && groups[i + run] == 0)
            {
                run++;
            }
            if (run > 1 && run > length)
            {
                (start, length) = (i, run);
            }
            i += run;
        }
        return (start, length);
    }

    private static bool TryParseV4(ReadOnlySpan<byte> text, out uint bits)
    {
        bits = 0;
        int octets = 0, digits = 0;
        uint octet = 0;
        foreach (byte b in text)
        {
            if (b == '.')
            {
                if (digits == 0 || octets == 3)
                {
                    return false;
                }
                bits = bits << 8 | octet;
                (octets, digits, octet) = (octets + 1, 0, 0);
                continue;
            }
            uint digit = (uint)b - '0';
            if (digit > 9 || (digits > 0 && octet == 0))
            {
                return false;
            }
            octet = octet * 10 + digit;
            digits++;
            if (octet > 255)
            {
                return false;
            }
        }
        bits = bits << 8 | octet;
        return octets == 3 && digits > 0;
    }

    private static bool TryParseV6(ReadOnlySpan<byte> s, out UInt128 bits)
    {
        bits = 0;
        Span<byte> ip = stackalloc byte[16];
        ip.Clear();
        int ellipsis = -1, i = 0;
        if (s.StartsWith("::"u8))
        {
            ellipsis = 0;
            s = s[2..];
            if (s.IsEmpty)
            {
                return true;
            }
        }
        while (i < 16)
        {
            int off = 0;
            uint group = 0;
            // Go limits the value of a group, not its digits: 000000 is a group.
            for (; off < s.Length && char.IsAsciiHexDigit((char)s[off]); off++)
            {
                group = group << 4 | Hex(s[off]);
                if (group > 0xFFFF)
                {
                    return false;
                }
            }
            if (off == 0)
            {
                return false;
            }
            if (off < s.Length && s[off] == '.')
            {
                if ((ellipsis < 0 && i != 12) || i > 12 || !TryParseV4(s, out uint v4))
                {
                    return false;
                }
                BinaryPrimitives.WriteUInt32BigEndian(ip[i..], v4);
                i += 4;
                s = [];
                break;
            }
            BinaryPrimitives.WriteUInt16BigEndian(ip[i..], (ushort)group);
            i += 2;
            s = s[off..];
            if (s.IsEmpty)
            {
                break;
            }
            if (s[0] != ':' || s.Length == 1)
            {
                return false;
            }
            s = s[1..];
            if (s[0] == ':')
            {
                if (ellipsis >= 0)
                {
                    return false;
                }
                ellipsis = i;
                s = s[1..];
                if (s.IsEmpty)
                {
                    break;
                }
            }
        }
        if (!s.IsEmpty || (i < 16) != (ellipsis >= 0))
        {
            return false;
        }
        if (i < 16)
        {
            int moved = i - ellipsis;
            ip.Slice(ellipsis, moved).CopyTo(ip[(16 - moved)..]);
            ip[ellipsis..(16 - moved)].Clear();
        }
        bits = BinaryPrimitives.ReadUInt128BigEndian(ip);
        return true;
    }

    private static uint Hex(byte b) => b <= '9' ? (uint)b - '0' : (uint)(b | 0x20) - 'a' + 10;
}
