using System.Buffers.Binary;
using ThreatFeeds.Vocabulary;
using System.Numerics;

namespace ThreatFeeds.Indicators;

/// <summary>
/// Collects entries in any order and makes a set of them. A repeat goes at once, so that memory follows what is different, never what was
/// added; entries that come in ascending order cost no table.
/// </summary>
public sealed class IndicatorSetBuilder(ContentKind content, long maxBytes = IndicatorSetBuilder.DefaultMaxBytes)
{
    /// <summary>Bytes that the different entries of one set may take, each with <see cref="EntryOverhead"/>: 1 GiB, some 22 million names of 20 bytes.</summary>
    public const long DefaultMaxBytes = 1L << 30;

    /// <summary>What an entry costs beside its own bytes: its place, its slot in the table, its place and key while they are sorted.</summary>
    public const int EntryOverhead = 28;

    // Below this many a full comparison is cheaper than sorting by keys again.
    private const int SmallRun = 24;

    // A sort of that many keys ends within a tenth of a second, so that cancelling is noticed soon.
    private const int SortRun = 1 << 20;

    // Per process, so that nobody can prepare a feed whose entries all collide.
    private static readonly ulong Key1 = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue) | 1, Key2 = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue) | 1;

    private byte[] _bytes = new byte[4096];
    private int _length;
    private int[] _starts = new int[256];
    // Once an entry came out of order: upper half of the hash, and number + 1 of the entry.
    private ulong[]? _slots;

    /// <summary>Different entries held.</summary>
    public int Count { get; private set; }

    /// <summary>Entries added that were held already.</summary>
    public long Repeats { get; private set; }

    /// <summary>An entry was left out because the limit in bytes was reached: what <see cref="Build"/> would give is not the whole.</summary>
    public bool Full { get; private set; }

    /// <summary>Adds an encoded entry (see <see cref="IndicatorSet"/>); false when it is held already or does not fit any more.</summary>
    public bool Add(ReadOnlySpan<byte> encoded)
    {
        int order = _slots is not null || Count == 0 ? 1 : encoded.SequenceCompareTo(Entry(Count - 1));
        if (order == 0)
        {
            Repeats++;
            return false;
        }
        ulong hash = 0;
        int slot = -1;
        if (order < 0)
        {
            MakeTable(1024);
        }
        if (_slots is not null)
        {
            hash = Hash(encoded);
            slot = Find(encoded, hash);
            if (_slots[slot] != 0)
            {
                Repeats++;
                return false;
            }
        }
        if (_length + (long)encoded.Length + (Count + 1L) * EntryOverhead > Math.Min(maxBytes, Array.MaxLength))
        {
            Full = true;
            return false;
        }
        Append(encoded);
        if (slot >= 0)
        {
            _slots![slot] = hash & 0xFFFF_FFFF_0000_0000 | (uint)Count;
            // At most two of three slots are taken.
            if (Count > _slots.Length / 3 * 2)
            {
                MakeTable(_slots.Length * 2);
            }
        }
        return true;
    }

    /// <summary>Sorts and returns the set; the builder must not be used afterwards. Throws soon after <paramref name="cancellationToken"/> is cancelled.</summary>
    public IndicatorSet Build(CancellationToken cancellationToken = default)
    {
        if (_slots is null)
        {
            return new IndicatorSet(content, _length == _bytes.Length ? _bytes : _bytes[.._length], _starts[..(Count + 1)]);
        }
        _slots = null; // Its memory is the sort's.
        var order = new int[Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
        Sort(order, new ulong[order.Length], 0, order.Length, 0, cancellationToken);
        var bytes = new byte[_length];
        var offsets = new int[order.Length + 1];
        int to = 0;
        for (int i = 0; i < order.Length; i++)
        {
            ReadOnlySpan<byte> entry = Entry(order[i]);
            entry.CopyTo(bytes.AsSpan(to));
            to += entry.Length;
            offsets[i + 1] = to;
            if (i % SortRun == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        return new IndicatorSet(content, bytes, offsets);
    }

    private void Append(ReadOnlySpan<byte> encoded)
    {
        if (_length + encoded.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(_bytes.Length * 2L, _length + (long)encoded.Length)));
        }
        if (Count + 1 >= _starts.Length)
        {
            Array.Resize(ref _starts, _starts.Length * 2);
        }
        encoded.CopyTo(_bytes.AsSpan(_length));
        _starts[Count++] = _length;
        _length += encoded.Length;
        _starts[Count] = _length;
    }

    private ReadOnlySpan<byte> Entry(int i) => _bytes.AsSpan(_starts[i], _starts[i + 1] - _starts[i]);

    private void MakeTable(int slots)
    {
        _slots = null; // Given back before the greater one is taken; all of it stands in the entries.
        _slots = new ulong[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(slots, Count * 2L))];
        for (int i = 0; i < Count; i++)
        {
            ulong hash = Hash(Entry(i));
            int at = (int)hash & _slots.Length - 1;
            while (_slots[at] != 0)
            {
                at = at + 1 & _slots.Length - 1;
            }
            _slots[at] = hash & 0xFFFF_FFFF_0000_0000 | (uint)(i + 1);
        }
    }

    /// <summary>The entry's slot, or the free one it would take.</summary>
    private int Find(ReadOnlySpan<byte> entry, ulong hash)
    {
        int mask = _slots!.Length - 1, at = (int)hash & mask;
        for (; _slots[at] != 0; at = at + 1 & mask)
        {
            ulong slot = _slots[at];
            if (slot >> 32 == hash >> 32 && Entry((int)(uint)slot - 1).SequenceEqual(entry))
            {
                break;
            }
        }
        return at;
    }

    // Eight bytes at a time times a secret: without it no two entries can be said to collide.
    private static ulong Hash(ReadOnlySpan<byte> entry)
    {
        ulong hash = (ulong)entry.Length;
        for (int at = 0; at < entry.Length; at += 8)
        {
            hash = Mix(hash ^ Key(entry, at), Key1);
        }
        return Mix(hash, Key2);
    }

    private static ulong Mix(ulong value, ulong key)
    {
        ulong high = Math.BigMul(value ^ key, key, out ulong low);
        return high ^ low;
    }

    // Sorts by eight bytes at a time as one number, which is several times faster than comparing entries.
    private void Sort(int[] order, ulong[] keys, int from, int to, int depth, CancellationToken cancellationToken)
    {
        if (to - from <= SmallRun || depth > DomainName.MaxLength + 2)
        {
            order.AsSpan(from, to - from).Sort((a, b) => Entry(a).SequenceCompareTo(Entry(b)));
            return;
        }
        cancellationToken.ThrowIfCancellationRequested();
        for (int i = from; i < to; i++)
        {
            keys[i] = Key(Entry(order[i]), depth);
        }
        SortKeys(keys, order, from, to, cancellationToken);
        for (int start = from; start < to;)
        {
            int end = start + 1;
            while (end < to && keys[end] == keys[start])
            {
                end++;
            }
            if (end - start > 1)
            {
                Sort(order, keys, start, end, depth + 8, cancellationToken);
            }
            start = end;
        }
    }

    // Array.Sort cannot be stopped: big ranges are parted around a key first.
    private static void SortKeys(ulong[] keys, int[] order, int from, int to, CancellationToken cancellationToken)
    {
        while (to - from > SortRun)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // At random, so that nobody can prepare a list that parts badly each time.
            ulong pivot = Median(keys[Random.Shared.Next(from, to)], keys[Random.Shared.Next(from, to)], keys[Random.Shared.Next(from, to)]);
            int low = from, at = from, high = to;
            while (at < high)
            {
                if (keys[at] < pivot)
                {
                    Swap(keys, order, low++, at++);
                }
                else if (keys[at] > pivot)
                {
                    Swap(keys, order, at, --high);
                }
                else
                {
                    at++;
                }
            }
            // The smaller part by recursion, so that the stack stays small whatever the keys.
            if (low - from < to - high)
            {
                SortKeys(keys, order, from, low, cancellationToken);
                from = high;
            }
            else
            {
                SortKeys(keys, order, high, to, cancellationToken);
                to = low;
            }
        }
        Array.Sort(keys, order, from, to - from);
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));

    private static void Swap(ulong[] keys, int[] order, int a, int b)
    {
        (keys[a], keys[b]) = (keys[b], keys[a]);
        (order[a], order[b]) = (order[b], order[a]);
    }

    /// <summary>Eight bytes of an entry from a place on as a number that orders as they do; zeroes behind its end.</summary>
    internal static ulong Key(ReadOnlySpan<byte> entry, int depth)
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
