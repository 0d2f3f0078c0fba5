namespace ThreatFeeds.Indicators;

/// <summary>
/// Different combinations of feeds, each once: an entry of the index holds four bytes however many feeds list it.
/// Feeds are numbered in ordinal order of their names. Number 0 is the empty combination.
/// </summary>
internal sealed class FeedSets
{
    private readonly string[] _feeds;
    private readonly List<int[]> _members = [[]];
    private readonly List<string[]> _names = [[]];
    private readonly Dictionary<string, int> _known = new(StringComparer.Ordinal) { [""] = 0 };
    private readonly Dictionary<long, int> _unions = [];

    public FeedSets(IReadOnlyCollection<string> feeds)
    {
        _feeds = [.. feeds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The combination of this one feed.</summary>
    public int Single(string feed) => Intern([Array.BinarySearch(_feeds, feed, StringComparer.Ordinal)]);

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
            union = Intern([.. _members[a].Union(_members[b]).Order()]);
            _unions[key] = union;
        }
        return union;
    }

    public string[] Names(int set) => _names[set];

    /// <summary>Drops what only building needs.</summary>
    public void Seal()
    {
        _unions.Clear();
        _unions.TrimExcess();
        _known.Clear();
        _known.TrimExcess();
    }

    private int Intern(int[] members)
    {
        string key = string.Join(',', members);
        if (!_known.TryGetValue(key, out int set))
        {
            set = _members.Count;
            _members.Add(members);
            _names.Add([.. members.Select(m => _feeds[m])]);
            _known[key] = set;
        }
        return set;
    }
}
