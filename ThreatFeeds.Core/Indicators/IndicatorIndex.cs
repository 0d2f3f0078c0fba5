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
        // By name: what a merge gives in this order is in the order of the feeds' numbers.
        IndexedFeed[] all = [.. feeds.OrderBy(f => f.Feed, StringComparer.Ordinal)];
        var sets = new FeedSets(all.Select(f => f.Feed));
        NameTable names = Names(sets, [.. all.Where(f => f.Set.Content == ContentKind.DomainNameSet)]);
        var (v4, v6) = Prefixes(sets, [.. all.Where(f => f.Set.Content == ContentKind.IPSet)]);
        sets.Seal();
        return new IndicatorIndex(sets, names, v4, v6);
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

    private static NameTable Names(FeedSets sets, IndexedFeed[] feeds)
    {
        if (feeds is [var only])
        {
            return Names(sets, only);
        }
        // Counted first: the table is as large as what is different, however many feeds list the same.
        (long count, long bytes) = Sizes(feeds);
        var names = new NameTable(sets, count, bytes);
        int[] numbers = [.. feeds.Select(f => sets.NumberOf(f.Feed))], members = new int[feeds.Length];
        bool anyBelow = feeds.Any(f => f.MatchSubdomains);
        var all = new SetMerge(feeds);
        while (all.TryNext(out ReadOnlySpan<byte> entry))
        {
            int listed = sets.Of(members.AsSpan(0, Collect(all.Listed, numbers, members, null)));
            int below = anyBelow ? sets.Of(members.AsSpan(0, Collect(all.Listed, numbers, members, feeds))) : 0;
            names.Add(entry, listed, below);
        }
        names.Seal();
        return names;
    }

    private static NameTable Names(FeedSets sets, IndexedFeed feed)
    {
        var names = new NameTable(sets, feed.Set.Count, feed.Set.ByteCount);
        int listed = sets.Of([sets.NumberOf(feed.Feed)]);
        for (int i = 0; i < feed.Set.Count; i++)
        {
            names.Add(feed.Set[i], listed, feed.MatchSubdomains ? listed : 0);
        }
        names.Seal();
        return names;
    }

    private static (long Count, long Bytes) Sizes(IndexedFeed[] feeds)
    {
        (long count, long bytes) = (0, 0);
        var all = new SetMerge(feeds);
        while (all.TryNext(out ReadOnlySpan<byte> entry))
        {
            count++;
            bytes += entry.Length;
        }
        return (count, bytes);
    }

    private static (PrefixTable<uint> V4, PrefixTable<UInt128> V6) Prefixes(FeedSets sets, IndexedFeed[] feeds)
    {
        var v4 = new List<PrefixTable<uint>.Entry>();
        var v6 = new List<PrefixTable<UInt128>.Entry>();
        int[] numbers = [.. feeds.Select(f => sets.NumberOf(f.Feed))], members = new int[feeds.Length];
        var all = new SetMerge(feeds);
        while (all.TryNext(out ReadOnlySpan<byte> entry))
        {
            IpPrefix prefix = IpPrefix.Decode(entry);
            int listed = sets.Of(members.AsSpan(0, Collect(all.Listed, numbers, members, null)));
            if (prefix.Address.IsV6)
            {
                v6.Add(new(prefix.Address.Bits, (byte)prefix.Length, listed));
            }
            else
            {
                v4.Add(new((uint)prefix.Address.Bits, (byte)prefix.Length, listed));
            }
        }
        return (new(v4, sets, 32), new(v6, sets, 128));
    }

    /// <summary>The numbers of the feeds that list an entry, without repeats; returns how many.</summary>
    /// <param name="below">When given, only feeds among these that match subdomains.</param>
    private static int Collect(ReadOnlySpan<int> listed, int[] numbers, int[] to, IndexedFeed[]? below)
    {
        int count = 0;
        foreach (int i in listed)
        {
            if ((below is null || below[i].MatchSubdomains) && (count == 0 || to[count - 1] != numbers[i]))
            {
                to[count++] = numbers[i];
            }
        }
        return count;
    }
}
