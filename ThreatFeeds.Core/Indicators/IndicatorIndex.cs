namespace ThreatFeeds.Indicators;

/// <summary>A feed's set as it goes into the index.</summary>
/// <param name="Feed">The feed's name.</param>
/// <param name="Set">Its indicators.</param>
/// <param name="MatchSubdomains">Every name of the feed also covers all names below it (label boundaries only).</param>
public readonly record struct IndexedFeed(string Feed, IndicatorSet Set, bool MatchSubdomains);

/// <summary>What the index knows of a value: the most specific indicator that covers it and every feed that covers it by any indicator.</summary>
/// <param name="Indicator">As text, such as <c>*.bad.example</c> or <c>192.0.2.0/24</c>.</param>
/// <param name="Feeds">Names of feeds, sorted ordinally, without repeats.</param>
public readonly record struct IndexMatch(string Indicator, IReadOnlyList<string> Feeds);

/// <summary>Finds a value among all indicators. Immutable; look-ups take no lock and allocate only on a match.</summary>
public sealed class IndicatorIndex
{
    public static IndicatorIndex Build(IEnumerable<IndexedFeed> feeds) => throw new NotImplementedException();

    /// <summary>Different names and prefixes held.</summary>
    public long Count => throw new NotImplementedException();

    /// <summary>Looks up a name in canonical form (lower-case ASCII bytes without trailing dot; see <see cref="DomainName"/>).</summary>
    public bool TryMatchName(ReadOnlySpan<byte> name, out IndexMatch match) => throw new NotImplementedException();

    /// <summary>Looks up an address.</summary>
    public bool TryMatchAddress(IpValue address, out IndexMatch match) => throw new NotImplementedException();
}

/// <summary>An IPv4 or IPv6 address; v4-mapped v6 is v4.</summary>
public readonly record struct IpValue(bool IsV6, UInt128 Bits)
{
    /// <summary>Parses the textual forms Go's netip accepts and no others (no zone).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpValue value) => throw new NotImplementedException();

    /// <summary>Canonical text (RFC 5952 for v6).</summary>
    public override string ToString() => throw new NotImplementedException();
}

/// <summary>Canonical form of domain names.</summary>
public static class DomainName
{
    /// <summary>
    /// Canonical form of a name found in a record: A-labels, lower case, no trailing dot. A name that has no canonical form is
    /// lower-cased (ASCII) as bytes, without its trailing dot, so that it still compares. Returns the length written; <paramref name="destination"/>
    /// must hold at least <c>max(256, value.Length)</c> bytes.
    /// </summary>
    public static int Canonicalize(ReadOnlySpan<byte> value, Span<byte> destination) => throw new NotImplementedException();
}
