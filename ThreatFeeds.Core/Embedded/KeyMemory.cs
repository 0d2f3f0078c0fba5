namespace ThreatFeeds.Embedded;

/// <summary>Where the frame of an idempotency key stands.</summary>
internal readonly record struct KeyPlace(long Segment, long Offset, int Length);

/// <summary>
/// Idempotency keys of the records kept, at most so many bytes of them: the oldest are forgotten first, and those of a deleted segment with it. A key
/// that is forgotten is stored again. Not safe for threads: <see cref="KindLog"/> guards it.
/// </summary>
internal sealed class KeyMemory(long mostBytes)
{
    /// <summary>What a key takes beside its characters: the entry, the string's head, its place in the queue.</summary>
    private const int OverheadBytes = 112;

    private readonly Dictionary<string, KeyPlace> _places = new(StringComparer.Ordinal);
    private Queue<(string Key, KeyPlace Place)> _order = new();

    /// <summary>Bytes of what is remembered, about.</summary>
    public long Bytes { get; private set; }

    public bool TryGet(string key, out KeyPlace place) => _places.TryGetValue(key, out place);

    /// <summary>Remembers a key that is not known yet.</summary>
    public void TryAdd(string key, long segment, in FramePlace frame)
    {
        if (!_places.ContainsKey(key))
        {
            Set(key, segment, frame);
        }
    }

    /// <summary>Remembers a key as used last.</summary>
    public void Set(string key, long segment, in FramePlace frame)
    {
        var place = new KeyPlace(segment, frame.Offset, frame.Length);
        _places[key] = place;
        _order.Enqueue((key, place));
        Bytes += Cost(key);
        while (Bytes > mostBytes && _order.TryDequeue(out (string Key, KeyPlace Place) oldest))
        {
            Drop(oldest);
        }
    }

    public void Forget(HashSet<long> segments)
    {
        var kept = new Queue<(string Key, KeyPlace Place)>();
        foreach ((string Key, KeyPlace Place) one in _order)
        {
            if (segments.Contains(one.Place.Segment))
            {
                Drop(one);
            }
            else
            {
                kept.Enqueue(one);
            }
        }
        _order = kept;
    }

    private void Drop((string Key, KeyPlace Place) one)
    {
        Bytes -= Cost(one.Key);
        // The key may have been used anew since, when its first frame was damaged.
        if (_places.TryGetValue(one.Key, out KeyPlace now) && now == one.Place)
        {
            _places.Remove(one.Key);
        }
    }

    private static long Cost(string key) => (2L * key.Length) + OverheadBytes;
}
