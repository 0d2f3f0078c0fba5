namespace ThreatFeeds.Searching;

/// <summary>
/// Hits by indicator since the window was last taken, summed as the searches go. It holds at most <see cref="Most"/> indicators: when it is full, those that
/// are far from a storm are forgotten, which counts an indicator short by a thousandth of the records at most each time.
/// </summary>
internal sealed class StormTally
{
    public const int Most = 10_000;

    private readonly Lock _lock = new();
    private Dictionary<string, (long Count, IReadOnlyList<string> Feeds)> _hits = new(StringComparer.Ordinal);
    private long _records;

    /// <summary>Indicators held.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _hits.Count;
            }
        }
    }

    /// <summary>Adds what a step compared and found; returns the records since the window was last taken.</summary>
    public long Add(long records, IEnumerable<(string Indicator, IReadOnlyList<string> Feeds)> hits)
    {
        lock (_lock)
        {
            _records += records;
            foreach ((string indicator, IReadOnlyList<string> feeds) in hits)
            {
                bool known = _hits.TryGetValue(indicator, out (long Count, IReadOnlyList<string> Feeds) was);
                if (known || _hits.Count < Most || Forget())
                {
                    _hits[indicator] = (was.Count + 1, feeds);
                }
            }
            return _records;
        }
    }

    /// <summary>The window, when it has this many records; the next begins.</summary>
    public (long Records, IReadOnlyDictionary<string, (long Count, IReadOnlyList<string> Feeds)> Hits)? Take(long records)
    {
        lock (_lock)
        {
            if (_records < records)
            {
                return null;
            }
            (long, IReadOnlyDictionary<string, (long, IReadOnlyList<string>)>) window = (_records, _hits);
            _hits = new Dictionary<string, (long, IReadOnlyList<string>)>(StringComparer.Ordinal);
            _records = 0;
            return window;
        }
    }

    private bool Forget()
    {
        foreach (string rare in _hits.Where(h => h.Value.Count <= Math.Max(1, _records / 1000)).Select(h => h.Key).ToList())
        {
            _hits.Remove(rare);
        }
        return _hits.Count < Most;
    }
}
