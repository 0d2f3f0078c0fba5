using ThreatFeeds.Indicators;

namespace ThreatFeeds.Parsing;

/// <summary>Addresses, prefixes and ranges as feeds write them.</summary>
internal static class AddressEntry
{
    // Prefixes as wide as these are mistakes or mischief unless they are exactly a block that nobody routes.
    private const int WidestV4 = 8, WidestV6 = 16;

    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    };

    /// <summary>True when the text has an address's form; fills <paramref name="to"/> and says what was cleaned.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, List<IpPrefix> to, ref Cleaning cleaning)
    {
        to.Clear();
        if (text.IsEmpty || !LooksNumeric(text))
        {
            return false;
        }
        if (TryReadOne(text, out IpPrefix prefix, ref cleaning))
        {
            to.Add(prefix);
            return true;
        }
        int dash = text.IndexOf((byte)'-');
        if (dash < 0
            || !IpValue.TryParse(text[..dash].TrimEnd((byte)' '), out IpValue first)
            || !IpValue.TryParse(text[(dash + 1)..].TrimStart((byte)' '), out IpValue last)
            || first.IsV6 != last.IsV6 || first.Bits > last.Bits)
        {
            return false;
        }
        to.AddRange(IpPrefix.Cover(first, last));
        cleaning |= Cleaning.Range;
        return true;
    }

    /// <summary>Wider than an indicator may be: /8 (v4), /16 (v6), the reserved blocks excepted.</summary>
    public static bool TooWide(IpPrefix prefix) => prefix.Length < (prefix.Address.IsV6 ? WidestV6 : WidestV4) && !IsReserved(prefix);

    /// <summary>Exactly a block reserved for private, local or group use: allowed, but hits what nobody means to find.</summary>
    public static bool IsReserved(IpPrefix prefix) => prefix.Length <= WidestV6 && Reserved.Contains(prefix.ToString());

    // One look at the characters spares most names the parsers.
    private static bool LooksNumeric(ReadOnlySpan<byte> text) =>
        char.IsAsciiHexDigit((char)text[0]) || text[0] is (byte)':' or (byte)'[';

    private static bool TryReadOne(ReadOnlySpan<byte> text, out IpPrefix prefix, ref Cleaning cleaning)
    {
        if (IpPrefix.TryParse(text, out prefix, out bool hostBits))
        {
            cleaning |= hostBits ? Cleaning.HostBits : Cleaning.None;
            return true;
        }
        ReadOnlySpan<byte> address;
        ReadOnlySpan<byte> port = default;
        Cleaning done = Cleaning.Port;
        if (text[0] == '[')
        {
            int close = text.IndexOf((byte)']');
            if (close < 0)
            {
                return false;
            }
            address = text[1..close];
            ReadOnlySpan<byte> rest = text[(close + 1)..];
            if (rest.IsEmpty)
            {
                done = Cleaning.Brackets;
            }
            else if (rest[0] == ':')
            {
                port = rest[1..];
            }
            else
            {
                return false;
            }
            if (!address.Contains((byte)':'))
            {
                return false;
            }
        }
        else
        {
            int colon = text.IndexOf((byte)':');
            if (colon < 0)
            {
                return false;
            }
            address = text[..colon];
            port = text[(colon + 1)..];
        }
        if ((done == Cleaning.Port && !IsPort(port)) || !IpValue.TryParse(address, out IpValue value))
        {
            return false;
        }
        prefix = new IpPrefix(value, value.Width);
        cleaning |= done;
        return true;
    }

    internal static bool IsPort(ReadOnlySpan<byte> text)
    {
        int value = 0;
        foreach (byte b in text)
        {
            if (b is < (byte)'0' or > (byte)'9' || (value = value * 10 + b - '0') > 65535)
            {
                return false;
            }
        }
        return !text.IsEmpty;
    }
}
