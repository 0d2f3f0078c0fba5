namespace ThreatFeeds.Indicators;

/// <summary>
/// Goes through several sets of one content at once: each different entry once, in ascending order, with all that list it. What a combination of feeds is made from is
/// whole then, so that no step on the way to it need be kept.
/// </summary>
internal sealed class SetMerge
{
    private readonly IndexedFeed[] _feeds;
    private readonly int[] _next;
    // The first eight bytes of each feed's next entry as a number: most comparisons end there.
    private readonly ulong[] _keys;
    // Feeds with entries left, the one with the least next entry on top; of equal ones the first.
    private readonly int[] _heap;
    private readonly int[] _listed;
    private int _left, _count;

    public SetMerge(IndexedFeed[] feeds)
    {
        _feeds = feeds;
        _next = new int[feeds.Length];
        _keys = new ulong[feeds.Length];
        _heap = new int[feeds.Length];
        _listed = new int[feeds.Length];
        for (int i = 0; i < feeds.Length; i++)
        {
            if (feeds[i].Set.Count > 0)
            {
                _keys[i] = IndicatorSetBuilder.Key(Next(i), 0);
                _heap[_left++] = i;
            }
        }
        for (int i = _left / 2 - 1; i >= 0; i--)
        {
            Sink(i);
        }
    }

    /// <summary>The numbers of the feeds that list the entry, ascending.</summary>
    public ReadOnlySpan<int> Listed => _listed.AsSpan(0, _count);

    /// <summary>The next entry; false when all have been given.</summary>
    public bool TryNext(out ReadOnlySpan<byte> entry)
    {
        _count = 0;
        if (_left == 0)
        {
            entry = default;
            return false;
        }
        entry = Next(_heap[0]);
        if (_left == 1)
        {
            // The last one is compared with nothing any more.
            _listed[_count++] = _heap[0];
            _left = ++_next[_heap[0]] < _feeds[_heap[0]].Set.Count ? 1 : 0;
            return true;
        }
        ulong key = _keys[_heap[0]];
        do
        {
            _listed[_count++] = _heap[0];
            Advance();
        }
        while (_left > 0 && _keys[_heap[0]] == key && Next(_heap[0]).SequenceEqual(entry));
        return true;
    }

    private ReadOnlySpan<byte> Next(int feed) => _feeds[feed].Set[_next[feed]];

    private void Advance()
    {
        int feed = _heap[0];
        if (++_next[feed] < _feeds[feed].Set.Count)
        {
            _keys[feed] = IndicatorSetBuilder.Key(Next(feed), 0);
        }
        else
        {
            _heap[0] = _heap[--_left];
        }
        Sink(0);
    }

    private void Sink(int at)
    {
        for (int child; (child = 2 * at + 1) < _left; at = child)
        {
            child += child + 1 < _left && IsBefore(_heap[child + 1], _heap[child]) ? 1 : 0;
            if (!IsBefore(_heap[child], _heap[at]))
            {
                return;
            }
            (_heap[at], _heap[child]) = (_heap[child], _heap[at]);
        }
    }

    private bool IsBefore(int a, int b)
    {
        if (_keys[a] != _keys[b])
        {
            return _keys[a] < _keys[b];
        }
        int order = Next(a).SequenceCompareTo(Next(b));
        return order != 0 ? order < 0 : a < b;
    }
}
