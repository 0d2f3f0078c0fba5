using System.Buffers.Binary;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Indicators;

/// <summary>Collects entries in any order and makes a set of them.</summary>
public sealed class IndicatorSetBuilder(ContentKind content)
{
    // Below this many a full comparison is cheaper than sorting by keys again.
    private const int SmallRun = 24;

    private byte[] _bytes = new byte[4096];
    private int _length;
    private int[] _starts = new int[256];

    /// <summary>Entries added, repeats included.</summary>
    public int Added { get; private set; }

    /// <summary>Adds an encoded entry (see <see cref="IndicatorSet"/>).</summary>
    public void Add(ReadOnlySpan<byte> encoded)
    {
        if (_length + encoded.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(_bytes.Length * 2L, _length + (long)encoded.Length)));
        }
        if (Added + 1 >= _starts.Length)
        {
            Array.Resize(ref _starts, _starts.Length * 2);
        }
        encoded.CopyTo(_bytes.AsSpan(_length));
        _starts[Added++] = _length;
        _length += encoded.Length;
        _starts[Added] = _length;
    }

    /// <summary>Sorts, drops repeats and returns the set; the builder must not be used afterwards.</summary>
    public IndicatorSet Build()
    {
        var order = new int[Added];
        bool sorted = true;
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            sorted = sorted && (i == 0 || Entry(i - 1).SequenceCompareTo(Entry(i)) <= 0);
        }
        if (!sorted)
        {
            Sort(order, new ulong[order.Length], 0, order.Length, 0);
        }
        var bytes = new byte[_length];
        var offsets = new int[order.Length + 1];
        int to = 0, count = 0;
        ReadOnlySpan<byte> previous = default;
        foreach (int i in order)
        {
            ReadOnlySpan<byte> entry = Entry(i);
            if (count > 0 && entry.SequenceEqual(previous))
            {
                continue;
            }
            entry.CopyTo(bytes.AsSpan(to));
            to += entry.Length;
            offsets[++count] = to;
            previous = entry;
        }
        return new IndicatorSet(content, to == bytes.Length ? bytes : bytes[..to], count == order.Length ? offsets : offsets[..(count + 1)]);
    }

    private ReadOnlySpan<byte> Entry(int i) => _bytes.AsSpan(_starts[i], _starts[i + 1] - _starts[i]);

    // Sorts by eight bytes at a time as one number, which is several times faster than comparing entries.
    private void Sort(int[] order, ulong[] keys, int from, int to, int depth)
    {
        if (to - from <= SmallRun || depth > DomainName.MaxLength + 2)
        {
            order.AsSpan(from, to - from).Sort((a, b) => Entry(a).SequenceCompareTo(Entry(b)));
            return;
        }
        for (int i = from; i < to; i++)
        {
            keys[i] = Key(Entry(order[i]), depth);
        }
        Array.Sort(keys, order, from, to - from);
        for (int start = from; start < to;)
        {
            int end = start + 1;
            while (end < to && keys[end] == keys[start])
            {
                end++;
            }
            if (end - start > 1)
            {
                Sort(order, keys, start, end, depth + 8);
            }
            start = end;
        }
    }

    private static ulong Key(ReadOnlySpan<byte> entry, int depth)
    {
        if (entry.Length >= depth + 8)
        {
            return BinaryPrimitives.ReadUInt64BigEndian(entry[depth..]);
        }
        ulong key = 0;
        for (int i = 0; i < 8; i++)
        {
            key = key << 8 | (depth + i < entry.Length ? entry[depth + i] : 0UL);
        }
        return key;
    }
}
