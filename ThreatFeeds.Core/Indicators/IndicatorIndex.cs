using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Indicators;

/// <summary>A feed's set as it goes into the index.</summary>
/// <param name="Feed">The feed's name.</param>
/// <param name="Set">Its indicators.</param>
/// <param name="MatchSubdomains">Every name of the feed also covers all names below it (label boundaries only).</param>
public readonly record struct IndexedFeed(string Feed, IndicatorSet Set, bool MatchSubdomains);

/// <summary>What the index knows of a value: the most specific indicator that covers it and every feed that covers it by any indicator.</summary>
/// <param name="Indicator">
/// As it is listed, such as <c>bad.example</c>, <c>*.bad.example</c> or <c>192.0.2.0/24</c>: one entry has one text, whether it covers a name itself or
/// from above. Where a feed lists <c>x</c> and another <c>*.x</c>, what both cover is found by <c>x</c>.
/// </param>
/// <param name="Feeds">Names of feeds, sorted ordinally, without repeats.</param>
public readonly record struct IndexMatch(string Indicator, IReadOnlyList<string> Feeds);

/// <summary>Finds a value among all indicators. Immutable; look-ups take no lock and allocate only on a match.</summary>
public sealed class IndicatorIndex
{
    private readonly FeedSets _sets;
    private readonly NameTable _names;
    private readonly PrefixTable<uint> _v4;
    private readonly PrefixTable<UInt128> _v6;

    private IndicatorIndex(FeedSets sets, NameTable names, PrefixTable<uint> v4, PrefixTable<UInt128> v6)
    {
        (_sets, _names, _v4, _v6) = (sets, names, v4, v6);
    }

    /// <summary>An index of these feeds; a feed may come more than once.</summary>
    public static IndicatorIndex Build(IEnumerable<IndexedFeed> feeds)
    {
        IndexedFeed[] all = [.. feeds];
        var sets = new FeedSets([.. all.Select(f => f.Feed)]);
        IndexedFeed[] ofNames = [.. all.Where(f => f.Set.Content == ContentKind.DomainNameSet)];
        var names = new NameTable(sets, ofNames.Sum(f => (long)f.Set.Count), ofNames.Sum(f => (long)f.Set.ByteCount));
        foreach (IndexedFeed feed in ofNames)
        {
            int id = sets.Single(feed.Feed);
            for (int i = 0; i < feed.Set.Count; i++)
            {
                names.Add(feed.Set[i], feed.MatchSubdomains, id);
            }
        }
        names.Seal();
        var v4 = new List<PrefixTable<uint>.Entry>();
        var v6 = new List<PrefixTable<UInt128>.Entry>();
        foreach (IndexedFeed feed in all.Where(f => f.Set.Content == ContentKind.IPSet))
        {
            int id = sets.Single(feed.Feed);
            for (int i = 0; i < feed.Set.Count; i++)
            {
                IpPrefix prefix = IpPrefix.Decode(feed.Set[i]);
                if (prefix.Address.IsV6)
                {
                    v6.Add(new(prefix.Address.Bits, (byte)prefix.Length, id));
                }
                else
                {
                    v4.Add(new((uint)prefix.Address.Bits, (byte)prefix.Length, id));
                }
            }
        }
        var index = new IndicatorIndex(sets, names, new(v4, sets, 32), new(v6, sets, 128));
        sets.Seal();
        return index;
    }

    /// <summary>Different names and prefixes held; <c>x</c> and <c>*.x</c> are one name.</summary>
    public long Count => (long)_names.Count + _v4.Count + _v6.Count;

    /// <summary>Looks up a name in canonical form (lower-case ASCII bytes without trailing dot; see <see cref="DomainName"/>).</summary>
    public bool TryMatchName(ReadOnlySpan<byte> name, out IndexMatch match) => _names.TryMatch(name, out match);

    /// <summary>Looks up an address.</summary>
    public bool TryMatchAddress(IpValue address, out IndexMatch match)
    {
        bool found = address.IsV6
            ? _v6.TryMatch(address.Bits, out int length, out int set)
            : _v4.TryMatch((uint)address.Bits, out length, out set);
        match = found ? new IndexMatch(IpPrefix.Of(address, length).ToString(), _sets.Names(set)) : default;
        return found;
    }
}
