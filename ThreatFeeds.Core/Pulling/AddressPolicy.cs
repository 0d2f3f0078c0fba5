using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ThreatFeeds.Pulling;

/// <summary>
/// Which addresses may be connected to. A feed's URL is written by people who may define feeds but need not be allowed to reach the
/// inner network from here, so every address is checked after name resolution, whatever its spelling.
/// </summary>
public sealed class AddressPolicy
{
    private static readonly IPNetwork[] Never = Parse(
        "0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "168.63.129.16/32", "192.0.0.192/32", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd00:c1::/32", "fd20:ce::254/128", "2001::/32");

    private static readonly IPNetwork[] OnlyIfAllowed = Parse(
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "::1/128", "fc00::/7", "fec0::/10", "64:ff9b:1::/48", "100::/64", "2001:db8::/32");

    private readonly IReadOnlyList<IPNetwork> _allowed;

    public AddressPolicy(IReadOnlyList<IPNetwork> allowed)
    {
        ArgumentNullException.ThrowIfNull(allowed);
        _allowed = allowed;
    }

    /// <summary>What keeps the address from being connected to, as in "its address is …"; null when nothing does. Names the kind of address and not the address.</summary>
    public string? Refusal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        foreach (IPAddress form in Forms(address))
        {
            if (Never.Any(n => n.Contains(form)))
            {
                return "link-local, metadata, shared, multicast or reserved, and feeds are never pulled from such addresses";
            }
            if (OnlyIfAllowed.Any(n => n.Contains(form)) && !_allowed.Any(n => n.Contains(form)))
            {
                return "loopback, private or otherwise inner, and in no network of Pulling:AllowedNetworks";
            }
        }
        return null;
    }

    /// <summary>The address itself and every IPv4 address it stands for.</summary>
    private static IEnumerable<IPAddress> Forms(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            yield return address;
            yield break;
        }
        byte[] b = address.GetAddressBytes();
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(b);
        uint third = BinaryPrimitives.ReadUInt32BigEndian(b.AsSpan(8));
        uint last = BinaryPrimitives.ReadUInt32BigEndian(b.AsSpan(12));
        if (address.IsIPv4MappedToIPv6)
        {
            yield return new IPAddress(b.AsSpan(12));
            yield break;
        }
        // A zone would keep the networks from containing the address.
        yield return new IPAddress(b);
        bool compatible = high == 0 && third == 0 && last > 1;
        bool nat64 = (high == 0x0064_ff9b_0000_0000 && third == 0) || high >> 16 == 0x0064_ff9b_0001;
        bool translated = high == 0 && third == 0xffff_0000;
        bool isatap = (third & 0xfdff_ffff) == 0x0000_5efe;
        if (compatible || nat64 || translated || isatap)
        {
            yield return new IPAddress(b.AsSpan(12));
        }
        if (high >> 48 == 0x2002)
        {
            yield return new IPAddress(b.AsSpan(2, 4));
        }
    }

    private static IPNetwork[] Parse(params string[] networks) => [.. networks.Select(IPNetwork.Parse)];
}
