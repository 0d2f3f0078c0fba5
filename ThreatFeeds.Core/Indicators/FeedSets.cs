using System.Runtime.InteropServices;

namespace ThreatFeeds.Indicators;

/// <summary>
/// Different combinations of feeds, each once: an entry of the index holds four bytes however many feeds list it.
/// Feeds are numbered in ordinal order of their names. Combination 0 is the empty one.
/// </summary>
internal sealed class FeedSets
{
    private readonly string[] _feeds;
    private readonly List<int[]> _members = [[]];
    private readonly int[] _singles;
    // Made when a match first asks for them; most combinations are never asked for.
    private string[]?[] _names = [];
    private readonly Dictionary<int[], int> _known = new(new Members());
    private readonly Dictionary<long, int> _unions = [];

    public FeedSets(IEnumerable<string> feeds)
    {
        _feeds = [.. feeds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        _singles = new int[_feeds.Length];
    }

    public int NumberOf(string feed) => Array.BinarySearch(_feeds, feed, StringComparer.Ordinal);

    /// <summary>The combination of the feeds with these numbers, which are ascending and without repeats. Only while the index is built.</summary>
    public int Of(ReadOnlySpan<int> members)
    {
        if (members.IsEmpty)
        {
            return 0;
        }
        // Nearly all entries are listed by one feed.
        if (members.Length == 1 && _singles[members[0]] is var single and > 0)
        {
            return single;
        }
        if (!_known.GetAlternateLookup<ReadOnlySpan<int>>().TryGetValue(members, out int set))
        {
            set = _members.Count;
            _members.Add(members.ToArray());
            _known[_members[set]] = set;
            if (members.Length == 1)
            {
                _singles[members[0]] = set;
            }
        }
        return set;
    }

    /// <summary>Only while the index is built.</summary>
    public int Union(int a, int b)
    {
        if (a == b || b == 0)
        {
            return a;
        }
        if (a == 0)
        {
            return b;
        }
        long key = (long)a << 32 | (uint)b;
        if (!_unions.TryGetValue(key, out int union))
        {
            int[] members = [.. _members[a].Union(_members[b]).Order()];
            union = Of(members);
            _unions[key] = union;
        }
        return union;
    }

    /// <summary>Only once sealed. Whoever comes at the same moment may get an equal array.</summary>
    public string[] Names(int set) => _names[set] ??= [.. _members[set].Select(m => _feeds[m])];

    /// <summary>Drops what only building needs.</summary>
    public void Seal()
    {
        _names = new string[]?[_members.Count];
        _unions.Clear();
        _unions.TrimExcess();
        _known.Clear();
        _known.TrimExcess();
    }

    private sealed class Members : IEqualityComparer<int[]>, IAlternateEqualityComparer<ReadOnlySpan<int>, int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<int> alternate, int[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(int[] members) => GetHashCode(members.AsSpan());

        public int GetHashCode(ReadOnlySpan<int> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(alternate));
            return hash.ToHashCode();
        }

        public int[] Create(ReadOnlySpan<int> alternate) => alternate.ToArray();
    }
}
