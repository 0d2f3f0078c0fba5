using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>Gives an entry with the Unix second it has been listed since.</summary>
internal delegate void EntryAction(ReadOnlySpan<byte> entry, long since);

/// <summary>
/// How a stored set is put together: the chunks of its base, one part each, and what its delta removes from them and adds between them. A set without a base is its own.
/// All that does not fit together throws a <see cref="DamagedSetException"/> that names the set it was found in.
/// </summary>
internal sealed class SetLayout
{
    private readonly StoredSetRow _row;
    private readonly StoredSetRow _base;
    private readonly List<Part> _parts;
    private readonly DecodedChunk _chunk = new();

    private SetLayout(StoredSetRow row, StoredSetRow @base, SetDelta delta, List<Part> parts)
    {
        (_row, _base, Delta, _parts) = (row, @base, delta, parts);
    }

    public StoredSetRow Row => _row;

    public SetDelta Delta { get; }

    public IReadOnlyList<Part> Parts => _parts;

    /// <summary>A chunk of the base, and which entries of the delta fall into it. The first part takes what comes before it, too.</summary>
    internal sealed record Part(int Ordinal, byte[] First, int ChunkCount, Range Added, Range Removed)
    {
        /// <summary>Entries of the set.</summary>
        public int Count { get; } = ChunkCount + Length(Added) - Length(Removed);

        private static int Length(Range range) => range.End.Value - range.Start.Value;
    }

    public static async Task<SetLayout> OpenAsync(ThreatFeedsContext db, StoredSetRow row, CancellationToken cancellationToken)
    {
        StoredSetRow? @base = row.BaseId is { } id ? await db.StoredSets.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, cancellationToken) : row;
        if (@base is null)
        {
            throw new DamagedSetException("the set it differs from is gone.") { SetId = row.BaseId!.Value };
        }
        ThrowUnreadable(row);
        ThrowUnreadable(@base);
        var chunks = await db.SetChunks.AsNoTracking().Where(c => c.SetId == @base.Id).OrderBy(c => c.Ordinal).Select(c => new { c.Ordinal, c.First, c.Count }).ToListAsync(cancellationToken);
        ThrowMissing(@base.Id, chunks.Sum(c => (long)c.Count), @base.Count);
        SetDelta delta = row == @base ? Empty(row) : await DeltaAsync(db, row, @base, cancellationToken);
        var parts = new List<Part>(chunks.Count);
        for (int i = 0; i < chunks.Count; i++)
        {
            byte[]? from = i == 0 ? null : chunks[i].First, to = i + 1 == chunks.Count ? null : chunks[i + 1].First;
            parts.Add(new Part(chunks[i].Ordinal, chunks[i].First, chunks[i].Count, Between(delta.Added.Set, from, to), Between(delta.Removed, from, to)));
        }
        ThrowMissing(row.Id, parts.Sum(p => (long)p.Count), row.Count);
        return new SetLayout(row, @base, delta, parts);
    }

    /// <summary>Gives the entries of a part in order. Not for two parts at once.</summary>
    public async Task ReadAsync(ThreatFeedsContext db, Part part, EntryAction entry, CancellationToken cancellationToken)
    {
        await DecodeAsync(db, part, cancellationToken);
        (int a, int aEnd, int r, int rEnd) = (part.Added.Start.Value, part.Added.End.Value, part.Removed.Start.Value, part.Removed.End.Value);
        IndicatorSet added = Delta.Added.Set;
        for (int i = 0; i < _chunk.Count; i++)
        {
            ReadOnlySpan<byte> old = _chunk[i];
            int order = 1;
            while (a < aEnd && (order = added[a].SequenceCompareTo(old)) < 0)
            {
                entry(added[a], Delta.Added.Since[a++]);
            }
            bool removed = r < rEnd && Delta.Removed[r].SequenceEqual(old);
            r += removed ? 1 : 0;
            if (!removed)
            {
                if (a < aEnd && order == 0)
                {
                    throw Apart();
                }
                entry(old, _chunk.Since(i));
            }
        }
        while (a < aEnd)
        {
            entry(added[a], Delta.Added.Since[a++]);
        }
        if (r != rEnd)
        {
            throw Apart();
        }
    }

    /// <summary>Since when the set lists this entry; null when it does not.</summary>
    public async Task<long?> FindAsync(ThreatFeedsContext db, byte[] encoded, CancellationToken cancellationToken)
    {
        int added = Delta.Added.Set.Find(encoded);
        if (added >= 0)
        {
            return Delta.Added.Since[added];
        }
        if (Delta.Removed.Contains(encoded) || _parts.FindLast(p => p.First.AsSpan().SequenceCompareTo(encoded) <= 0) is not { } part)
        {
            return null;
        }
        await DecodeAsync(db, part, cancellationToken);
        for (int i = 0; i < _chunk.Count; i++)
        {
            if (_chunk[i].SequenceEqual(encoded))
            {
                return _chunk.Since(i);
            }
        }
        return null;
    }

    private async Task DecodeAsync(ThreatFeedsContext db, Part part, CancellationToken cancellationToken)
    {
        byte[]? data = await db.SetChunks.Where(c => c.SetId == _base.Id && c.Ordinal == part.Ordinal).Select(c => c.Data).FirstOrDefaultAsync(cancellationToken);
        if (data is null)
        {
            throw new DamagedSetException("one of its chunks is gone.") { SetId = _base.Id };
        }
        Decode(_chunk, _base, data, part.ChunkCount);
        if (_chunk.Count == 0 || !_chunk[0].SequenceEqual(part.First))
        {
            throw new DamagedSetException("a chunk does not begin with the entry that it is found by.") { SetId = _base.Id };
        }
    }

    private static SetDelta Empty(StoredSetRow row)
    {
        IndicatorSet nothing = IndicatorSet.Empty(row.Content);
        return new SetDelta(row.Id, row.Count, new DatedSet(nothing, []), nothing);
    }

    private static async Task<SetDelta> DeltaAsync(ThreatFeedsContext db, StoredSetRow row, StoredSetRow @base, CancellationToken cancellationToken)
    {
        IndicatorSetBuilder added = new(row.Content, long.MaxValue), removed = new(row.Content, long.MaxValue);
        var since = new List<long>();
        var chunk = new DecodedChunk();
        foreach (SetChunkRow held in await db.SetChunks.AsNoTracking().Where(c => c.SetId == row.Id).OrderBy(c => c.Ordinal).ToListAsync(cancellationToken))
        {
            Decode(chunk, row, held.Data, held.Count);
            for (int i = 0; i < chunk.Count; i++)
            {
                (held.Removed ? removed : added).Add(chunk[i]);
                if (!held.Removed)
                {
                    since.Add(chunk.Since(i));
                }
            }
        }
        return new SetDelta(@base.Id, @base.Count, new DatedSet(added.Build(cancellationToken), [.. since]), removed.Build(cancellationToken));
    }

    private static Range Between(IndicatorSet set, byte[]? from, byte[]? to) => (from is null ? 0 : Place(set, from))..(to is null ? set.Count : Place(set, to));

    private static int Place(IndicatorSet set, byte[] entry) => set.Find(entry) is var at && at >= 0 ? at : ~at;

    private static void Decode(DecodedChunk chunk, StoredSetRow of, byte[] data, int count)
    {
        try
        {
            chunk.Read(data, of.Format, count);
        }
        catch (Exception problem) when (problem is InvalidDataException or InvalidOperationException or IOException)
        {
            throw new DamagedSetException("a chunk cannot be decoded.", problem) { SetId = of.Id };
        }
    }

    private static void ThrowUnreadable(StoredSetRow row)
    {
        if (row.Format == StoredSets.Damaged)
        {
            throw new DamagedSetException("it could not be read before.") { SetId = row.Id };
        }
        if (row.Format > StoredSets.Format)
        {
            throw new DamagedSetException(string.Create(CultureInfo.InvariantCulture, $"it has form {row.Format} of a later version, and this one reads forms up to {StoredSets.Format}.")) { SetId = row.Id };
        }
    }

    private static void ThrowMissing(long id, long held, long count)
    {
        if (held != count)
        {
            throw new DamagedSetException(string.Create(CultureInfo.InvariantCulture, $"its chunks hold {held} of {count} entries.")) { SetId = id };
        }
    }

    private DamagedSetException Apart() => new("its entries and those of the set it differs from do not fit together.") { SetId = _row.Id };
}
