using ThreatFeeds.Vocabulary;

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

    /// <summary>True when the set holds this very entry.</summary>
    public bool Contains(ReadOnlySpan<byte> encoded) => Find(encoded) >= 0;

    /// <summary>The entry's number; the complement of the number it would have when the set does not hold it.</summary>
    internal int Find(ReadOnlySpan<byte> encoded)
    {
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            int middle = low + (high - low) / 2;
            int order = this[middle].SequenceCompareTo(encoded);
            if (order == 0)
            {
                return middle;
            }
            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return ~low;
    }

    public static IndicatorSet Empty(ContentKind content) => new(content, [], [0]);

    /// <summary>All encoded bytes of the set; what the index takes its sizes from.</summary>
    internal int ByteCount => _bytes.Length;
}
