using System.Numerics;

namespace ThreatFeeds.Indicators;

/// <summary>
/// Prefixes of one family, flattened into sorted intervals that do not overlap. Each interval knows the longest prefix that covers it and the
/// feeds of all that do, so a look-up is one binary search, narrowed by the address's first 16 bits.
/// </summary>
internal sealed class PrefixTable<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private const byte Gap = 255;

    private readonly T[] _starts;
    private readonly byte[] _lengths;
    private readonly int[] _sets;
    private readonly int[] _buckets;
    private readonly int _bucketShift;

    public readonly record struct Entry(T Address, byte Length, int Set);

    /// <summary>Different prefixes held.</summary>
    public int Count { get; }

    /// <param name="entries">Each prefix once, sorted by address and then length.</param>
    public PrefixTable(List<Entry> entries, FeedSets sets, int width)
    {
        _bucketShift = width - 16;
        Count = entries.Count;
        var starts = new List<T>(entries.Count + 1) { T.Zero };
        var lengths = new List<byte>(entries.Count + 1) { Gap };
        var ids = new List<int>(entries.Count + 1) { 0 };
        // Sorted by first address and then length, a prefix comes after all that hold it: a stack of those still open is enough.
        var open = new Stack<(T Last, byte Length, int Set)>();
        foreach ((T address, byte length, int listed) in entries)
        {
            int set = listed;
            while (open.TryPeek(out var top) && top.Last < address)
            {
                Close();
            }
            if (open.TryPeek(out var outer))
            {
                set = sets.Union(outer.Set, set);
            }
            open.Push((Last(address, length, width), length, set));
            Start(address, length, set);
        }
        while (open.Count > 0)
        {
            Close();
        }
        (_starts, _lengths, _sets) = ([.. starts], [.. lengths], [.. ids]);
        _buckets = new int[(1 << 16) + 1];
        int at = 0;
        for (int bucket = 0; bucket <= 1 << 16; bucket++)
        {
            while (at < _starts.Length && int.CreateTruncating(_starts[at] >> _bucketShift) < bucket)
            {
                at++;
            }
            _buckets[bucket] = at;
        }

        void Close()
        {
            T last = open.Pop().Last;
            if (last == T.MaxValue)
            {
                return;
            }
            // What holds this one ends no earlier; when at the same address, its own closing starts the next interval there.
            if (open.TryPeek(out var outer))
            {
                Start(last + T.One, outer.Length, outer.Set);
            }
            else
            {
                Start(last + T.One, Gap, 0);
            }
        }

        void Start(T address, byte length, int set)
        {
            if (starts[^1] == address)
            {
                (lengths[^1], ids[^1]) = (length, set);
                return;
            }
            starts.Add(address);
            lengths.Add(length);
            ids.Add(set);
        }
    }

    /// <summary>The length of the longest covering prefix and the combination of all feeds that cover the address.</summary>
    public bool TryMatch(T address, out int length, out int set)
    {
        int bucket = int.CreateTruncating(address >> _bucketShift);
        int low = _buckets[bucket], high = _buckets[bucket + 1];
        while (low < high)
        {
            int middle = low + (high - low) / 2;
            if (_starts[middle] <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        length = _lengths[low - 1];
        set = _sets[low - 1];
        return length != Gap;
    }

    private static T Last(T address, int length, int width) => length == 0 ? T.MaxValue : address | ((T.One << (width - length)) - T.One);
}
