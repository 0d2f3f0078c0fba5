using System.Numerics;
using System.Text;

namespace ThreatFeeds.Indicators;

/// <summary>
/// Names in an open-addressing table over one arena of bytes. A slot holds 32 bits of the hash and the entry's number, so that a miss
/// reads one cache line; a hit is verified by its bytes.
/// </summary>
internal sealed class NameTable
{
    // Per process, so that nobody can prepare a feed whose names all collide.
    private static readonly ulong Seed = unchecked((ulong)Random.Shared.NextInt64());

    private readonly FeedSets _sets;
    private readonly ulong[] _slots;
    private readonly int _mask;
    private readonly byte[] _arena;
    private int[] _starts;
    private int[] _exact;
    private int[] _below;
    // Bit n: what entry n covers below it, it covers by a name listed without "*.".
    private readonly ulong[] _plainBelow;
    // Bit n: some name of n labels covers what is below it (63: that many or more). Spares the look-ups of parents nobody lists.
    private ulong _belowLabels;

    public NameTable(FeedSets sets, long maxNames, long maxBytes)
    {
        _sets = sets;
        _slots = new ulong[BitOperations.RoundUpToPowerOf2((ulong)Math.Max(8, maxNames + maxNames / 2))];
        _mask = _slots.Length - 1;
        _arena = new byte[maxBytes];
        _starts = new int[maxNames + 1];
        _exact = new int[maxNames];
        _below = new int[maxNames];
        _plainBelow = new ulong[(maxNames + 63) / 64];
    }

    public int Count { get; private set; }

    /// <summary>Adds an encoded name, each once.</summary>
    /// <param name="listed">The combination of the feeds that list it.</param>
    /// <param name="below">Of those for which it covers all names below it though it has no <c>*.</c>.</param>
    public void Add(ReadOnlySpan<byte> encoded, int listed, int below)
    {
        bool wildcard = encoded is [(byte)'*', (byte)'.', ..];
        ReadOnlySpan<byte> name = wildcard ? encoded[2..] : encoded;
        ulong hash = Seed;
        int labels = 1;
        for (int i = name.Length - 1; i >= 0; i--)
        {
            labels += name[i] == '.' ? 1 : 0;
            hash = Step(hash, name[i]);
        }
        int entry = FindOrAdd(name, Finish(hash));
        if (!wildcard)
        {
            _exact[entry] = listed;
        }
        below = wildcard ? listed : below;
        if (below != 0)
        {
            _below[entry] = _sets.Union(_below[entry], below);
            _belowLabels |= 1UL << Math.Min(labels, 63);
            _plainBelow[entry >> 6] |= wildcard ? 0 : 1UL << entry;
        }
    }

    /// <summary>Gives back what the bounds given at the start were too much.</summary>
    public void Seal()
    {
        if (Count < _exact.Length - _exact.Length / 8)
        {
            Array.Resize(ref _starts, Count + 1);
            Array.Resize(ref _exact, Count);
            Array.Resize(ref _below, Count);
        }
    }

    public bool TryMatch(ReadOnlySpan<byte> name, out IndexMatch match)
    {
        match = default;
        if (Count == 0 || name.IsEmpty)
        {
            return false;
        }
        // From the right, so that the hash of every parent comes out of the same pass.
        int best = -1, bestAt = 0;
        bool plain = false;
        int labels = 1, feeds = 0;
        List<int>? more = null;
        ulong hash = Seed;
        for (int i = name.Length - 1; i >= 0; i--)
        {
            if (name[i] == '.')
            {
                if ((_belowLabels & 1UL << Math.Min(labels, 63)) != 0)
                {
                    int parent = Find(name[(i + 1)..], Finish(hash));
                    if (parent >= 0 && _below[parent] != 0)
                    {
                        (best, bestAt, plain) = (parent, i + 1, (_plainBelow[parent >> 6] & 1UL << parent) != 0);
                        Collect(_below[parent], ref feeds, ref more);
                    }
                }
                labels++;
            }
            hash = Step(hash, name[i]);
        }
        int whole = Find(name, Finish(hash));
        if (whole >= 0)
        {
            (best, bestAt, plain) = (whole, 0, _exact[whole] != 0);
            Collect(_exact[whole], ref feeds, ref more);
            Collect(_below[whole], ref feeds, ref more);
        }
        if (best < 0)
        {
            return false;
        }
        string text = Encoding.ASCII.GetString(name[bestAt..]);
        match = new IndexMatch(plain ? text : "*." + text, Names(feeds, more));
        return true;
    }

    private static void Collect(int set, ref int first, ref List<int>? more)
    {
        if (set == 0 || set == first)
        {
            return;
        }
        if (first == 0)
        {
            first = set;
        }
        else
        {
            (more ??= []).Add(set);
        }
    }

    private string[] Names(int first, List<int>? more) => more is null
        ? _sets.Names(first)
        : [.. more.SelectMany(_sets.Names).Concat(_sets.Names(first)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static ulong Step(ulong hash, byte b) => (BitOperations.RotateLeft(hash, 5) ^ b) * 0x9E3779B97F4A7C15UL;

    private static ulong Finish(ulong hash)
    {
        hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93UL;
        return hash ^ hash >> 32;
    }

    private ReadOnlySpan<byte> Name(int entry) => _arena.AsSpan(_starts[entry], _starts[entry + 1] - _starts[entry]);

    private int Find(ReadOnlySpan<byte> name, ulong hash)
    {
        uint tag = (uint)(hash >> 32);
        for (int at = (int)hash & _mask; ; at = at + 1 & _mask)
        {
            ulong slot = _slots[at];
            if (slot == 0)
            {
                return -1;
            }
            if ((uint)(slot >> 32) == tag && Name((int)(uint)slot - 1).SequenceEqual(name))
            {
                return (int)(uint)slot - 1;
            }
        }
    }

    private int FindOrAdd(ReadOnlySpan<byte> name, ulong hash)
    {
        uint tag = (uint)(hash >> 32);
        int at = (int)hash & _mask;
        for (; _slots[at] != 0; at = at + 1 & _mask)
        {
            ulong slot = _slots[at];
            if ((uint)(slot >> 32) == tag && Name((int)(uint)slot - 1).SequenceEqual(name))
            {
                return (int)(uint)slot - 1;
            }
        }
        int entry = Count++;
        name.CopyTo(_arena.AsSpan(_starts[entry]));
        _starts[entry + 1] = _starts[entry] + name.Length;
        _slots[at] = (ulong)tag << 32 | (uint)(entry + 1);
        return entry;
    }
}
