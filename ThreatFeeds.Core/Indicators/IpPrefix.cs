using System.Buffers.Binary;
using System.Globalization;

namespace ThreatFeeds.Indicators;

/// <summary>A block of addresses in network form: its host bits are zero.</summary>
/// <param name="Address">First address.</param>
/// <param name="Length">Bits that are fixed: 0 to 32 or 128.</param>
public readonly record struct IpPrefix(IpValue Address, int Length)
{
    /// <summary>Bytes of the longest encoded prefix.</summary>
    public const int MaxEncodedLength = 18;

    /// <summary>Last address as a number.</summary>
    public UInt128 Last => Address.Bits | HostMask(Address.Width - Length);

    /// <summary>An address (as a prefix of one host) or <c>address/length</c>; <paramref name="hostBits"/> when bits past the length were set and cleared.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpPrefix prefix, out bool hostBits)
    {
        prefix = default;
        hostBits = false;
        int slash = text.IndexOf((byte)'/');
        if (!IpValue.TryParse(slash < 0 ? text : text[..slash], out IpValue address))
        {
            return false;
        }
        if (slash < 0)
        {
            prefix = new IpPrefix(address, address.Width);
            return true;
        }
        ReadOnlySpan<byte> digits = text[(slash + 1)..];
        // A v4-mapped address is written in v6, so its length counts from there.
        bool mapped = !address.IsV6 && text[..slash].Contains((byte)':');
        int width = mapped ? 128 : address.Width;
        int length = 0;
        foreach (byte b in digits)
        {
            if (b is < (byte)'0' or > (byte)'9' || (length = length * 10 + b - '0') > width)
            {
                return false;
            }
        }
        if (digits.IsEmpty)
        {
            return false;
        }
        if (mapped)
        {
            if (length < 96)
            {
                address = new IpValue(true, address.Bits | (UInt128)0xFFFF << 32);
            }
            else
            {
                length -= 96;
            }
        }
        UInt128 network = address.Bits & ~HostMask(address.Width - length);
        hostBits = network != address.Bits;
        prefix = new IpPrefix(address with { Bits = network }, length);
        return true;
    }

    /// <summary>The prefix of this length that holds the address.</summary>
    public static IpPrefix Of(IpValue address, int length) => new(address with { Bits = address.Bits & ~HostMask(address.Width - length) }, length);

    /// <summary>Writes the encoded form (see <see cref="IndicatorSet"/>) and returns its length.</summary>
    public int Encode(Span<byte> to)
    {
        if (Address.IsV6)
        {
            to[0] = 6;
            BinaryPrimitives.WriteUInt128BigEndian(to[1..], Address.Bits);
            to[17] = (byte)Length;
            return 18;
        }
        to[0] = 4;
        BinaryPrimitives.WriteUInt32BigEndian(to[1..], (uint)Address.Bits);
        to[5] = (byte)Length;
        return 6;
    }

    /// <summary>Reads the encoded form.</summary>
    public static IpPrefix Decode(ReadOnlySpan<byte> encoded) => encoded[0] == 6
        ? new(new IpValue(true, BinaryPrimitives.ReadUInt128BigEndian(encoded[1..])), encoded[17])
        : new(new IpValue(false, BinaryPrimitives.ReadUInt32BigEndian(encoded[1..])), encoded[5]);

    /// <summary>The fewest prefixes that hold the addresses from first to last and no others; both of one family, first not after last.</summary>
    public static IEnumerable<IpPrefix> Cover(IpValue first, IpValue last)
    {
        int width = first.Width;
        UInt128 from = first.Bits;
        while (true)
        {
            int host = from == 0 ? width : Math.Min(width, (int)UInt128.TrailingZeroCount(from));
            while ((from | HostMask(host)) > last.Bits)
            {
                host--;
            }
            yield return new IpPrefix(first with { Bits = from }, width - host);
            UInt128 end = from | HostMask(host);
            if (end >= last.Bits)
            {
                yield break;
            }
            from = end + 1;
        }
    }

    /// <summary>As people write it; one host without its length.</summary>
    public override string ToString() =>
        Length == Address.Width ? Address.ToString() : string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");

    private static UInt128 HostMask(int bits) => bits >= 128 ? UInt128.MaxValue : ((UInt128)1 << bits) - 1;
}
