namespace ThreatFeeds.Indicators;

/// <summary>
/// All indicators of one feed: immutable, sorted by their encoded bytes, without repeats.
/// An entry is encoded as: a name, its canonical ASCII text; a name and all below it, <c>*.</c> and that text;
/// a prefix, the byte 4 or 6, the 4 or 16 address bytes in network order with host bits cleared, and the prefix length.
/// </summary>
public sealed class IndicatorSet
{
    private readonly byte[] _bytes;
    private readonly int[] _offsets;

    internal IndicatorSet(ContentKind content, byte[] bytes, int[] offsets)
    {
        Content = content;
        _bytes = bytes;
        _offsets = offsets;
    }

    public ContentKind Content { get; }

    public int Count => _offsets.Length - 1;

    /// <summary>The encoded entry.</summary>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_offsets[index], _offsets[index + 1] - _offsets[index]);

    /// <summary>The entry as people write it: <c>bad.example</c>, <c>*.bad.example</c>, <c>192.0.2.1</c>, <c>192.0.2.0/24</c>.</summary>
    public string Text(int index) => IndicatorText.Decode(this[index]);

    public static IndicatorSet Empty(ContentKind content) => new(content, [], [0]);
}

/// <summary>Collects entries in any order and makes a set of them.</summary>
public sealed class IndicatorSetBuilder(ContentKind content)
{
    private byte[] _bytes = new byte[4096];
    private int _length;
    private readonly List<int> _starts = [];

    public int Added => _starts.Count;

    /// <summary>Adds an encoded entry (see <see cref="IndicatorSet"/>).</summary>
    public void Add(ReadOnlySpan<byte> encoded)
    {
        if (_length + encoded.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + encoded.Length));
        }
        encoded.CopyTo(_bytes.AsSpan(_length));
        _starts.Add(_length);
        _length += encoded.Length;
    }

    /// <summary>Sorts, drops repeats and returns the set; the builder must not be used afterwards.</summary>
    public IndicatorSet Build()
    {
        byte[] bytes = _bytes;
        int length = _length;
        int[] starts = [.. _starts];
        int[] ends = new int[starts.Length];
        for (int i = 0; i < starts.Length; i++)
        {
            ends[i] = i + 1 < starts.Length ? starts[i + 1] : length;
        }
        int[] order = new int[starts.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
        Array.Sort(order, (a, b) => bytes.AsSpan(starts[a], ends[a] - starts[a]).SequenceCompareTo(bytes.AsSpan(starts[b], ends[b] - starts[b])));
        var sorted = new byte[length];
        var offsets = new List<int>(order.Length + 1) { 0 };
        int to = 0;
        ReadOnlySpan<byte> previous = default;
        foreach (int i in order)
        {
            ReadOnlySpan<byte> entry = bytes.AsSpan(starts[i], ends[i] - starts[i]);
            if (offsets.Count > 1 && entry.SequenceEqual(previous))
            {
                continue;
            }
            entry.CopyTo(sorted.AsSpan(to));
            to += entry.Length;
            offsets.Add(to);
            previous = entry;
        }
        return new IndicatorSet(content, sorted[..to], [.. offsets]);
    }
}
