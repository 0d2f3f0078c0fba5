using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>A stored set with the Unix second each entry has been listed since.</summary>
public sealed record DatedSet(IndicatorSet Set, long[] Since);

/// <summary>Reads and writes stored sets chunk by chunk. A set is invisible until a listing or a change names it.</summary>
public sealed class StoredSets(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Writes a set outside of any long transaction and returns its id; it is not complete yet.</summary>
    public async Task<long> WriteAsync(DatedSet set, SetSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var row = new StoredSetRow
        {
            Content = set.Set.Content,
            Count = set.Set.Count,
            Digest = source.Digest,
            Origin = source.Origin,
            ETag = source.ETag,
            LastModified = source.LastModified,
            CreatedAt = time.GetUtcNow().UtcDateTime,
        };
        db.StoredSets.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        for (int from = 0, ordinal = 0; from < set.Set.Count; from += SetChunkCodec.Entries, ordinal++)
        {
            int count = Math.Min(SetChunkCodec.Entries, set.Set.Count - from);
            db.SetChunks.Add(new SetChunkRow
            {
                SetId = row.Id,
                Ordinal = ordinal,
                Count = count,
                First = set.Set[from].ToArray(),
                Data = SetChunkCodec.Encode(set.Set, set.Since, from, count),
            });
            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
        }
        return row.Id;
    }

    /// <summary>Dates a set: entries that stay keep the time they have been listed since; the others are listed from now.</summary>
    public DatedSet Date(IndicatorSet set, DatedSet? before)
    {
        var since = new long[set.Count];
        Array.Fill(since, time.GetUtcNow().ToUnixTimeSeconds());
        if (before is not null)
        {
            for (int i = 0, o = 0; i < set.Count && o < before.Set.Count;)
            {
                int order = set[i].SequenceCompareTo(before.Set[o]);
                if (order == 0)
                {
                    since[i] = before.Since[o];
                }
                i += order <= 0 ? 1 : 0;
                o += order >= 0 ? 1 : 0;
            }
        }
        return new DatedSet(set, since);
    }

    /// <summary>The whole set, or null when it has been swept away meanwhile.</summary>
    /// <exception cref="DamagedSetException">It is there and cannot be read. No body is taken for the same as it from then on.</exception>
    public async Task<DatedSet?> ReadAsync(long id, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        StoredSetRow? row = await db.StoredSets.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, cancellationToken);
        if (row is null)
        {
            return null;
        }
        var builder = new IndicatorSetBuilder(row.Content, long.MaxValue);
        var since = new List<long>();
        Exception? undecodable = null;
        await foreach (SetChunkRow chunk in db.SetChunks.AsNoTracking().Where(c => c.SetId == id).OrderBy(c => c.Ordinal).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            try
            {
                SetChunkCodec.Decode(chunk.Data, chunk.Count, (entry, at) =>
                {
                    builder.Add(entry);
                    since.Add(at);
                });
            }
            catch (Exception problem) when (problem is InvalidDataException or InvalidOperationException or IOException or FormatException or ArgumentException)
            {
                undecodable = problem;
                break;
            }
        }
        if (undecodable is null && since.Count == row.Count)
        {
            return new DatedSet(builder.Build(cancellationToken), [.. since]);
        }
        // A sweep takes the row with the chunks: a row that is there still says that nobody took them.
        int there = await db.StoredSets.Where(s => s.Id == id)
            .ExecuteUpdateAsync(u => u.SetProperty(s => s.Digest, "").SetProperty(s => s.Origin, "").SetProperty(s => s.ETag, (string?)null).SetProperty(s => s.LastModified, (string?)null), cancellationToken);
        return there == 0 ? null : throw new DamagedSetException(
            undecodable is null ? $"its chunks hold {since.Count} of {row.Count} entries." : $"a chunk cannot be decoded ({undecodable.GetType().Name}).", undecodable);
    }

    /// <summary>Since when the set lists exactly this entry; null when it does not.</summary>
    public async Task<DateTimeOffset?> SinceAsync(long id, byte[] encoded, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var firsts = await db.SetChunks.AsNoTracking().Where(c => c.SetId == id).OrderBy(c => c.Ordinal).Select(c => new { c.Ordinal, c.First }).ToListAsync(cancellationToken);
        var holder = firsts.LastOrDefault(c => c.First.AsSpan().SequenceCompareTo(encoded) <= 0);
        if (holder is null)
        {
            return null;
        }
        SetChunkRow? chunk = await db.SetChunks.AsNoTracking().FirstOrDefaultAsync(c => c.SetId == id && c.Ordinal == holder.Ordinal, cancellationToken);
        long? found = null;
        if (chunk is not null)
        {
            SetChunkCodec.Decode(chunk.Data, chunk.Count, (entry, at) =>
            {
                if (entry.SequenceEqual(encoded))
                {
                    found = at;
                }
            });
        }
        return found is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
    }

    /// <summary>Entries as text in order, from a place on.</summary>
    /// <param name="contains">Only entries with this text in them (ignoring case); null for all.</param>
    public async Task<Page<string>> PageAsync(long id, string? contains, long skip, int limit, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        var items = new List<string>();
        long place = 0;
        await foreach (SetChunkRow chunk in db.SetChunks.AsNoTracking().Where(c => c.SetId == id).OrderBy(c => c.Ordinal).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (contains is null && place + chunk.Count <= skip)
            {
                place += chunk.Count;
                continue;
            }
            SetChunkCodec.Decode(chunk.Data, chunk.Count, (entry, _) =>
            {
                if (place++ < skip || items.Count > limit)
                {
                    return;
                }
                string text = IndicatorText.Decode(entry);
                if (contains is null || text.Contains(contains, StringComparison.OrdinalIgnoreCase))
                {
                    items.Add(items.Count == limit ? (place - 1).ToString(CultureInfo.InvariantCulture) : text);
                }
            });
            if (items.Count > limit)
            {
                string next = items[limit];
                items.RemoveAt(limit);
                return new Page<string>(items, next);
            }
        }
        return new Page<string>(items, null);
    }

    /// <summary>Notes that the same set came again, by another body or from elsewhere. False when it is gone.</summary>
    public async Task<bool> TouchAsync(long id, SetSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.StoredSets.Where(s => s.Id == id).ExecuteUpdateAsync(
            u => u.SetProperty(s => s.Digest, source.Digest).SetProperty(s => s.Origin, source.Origin)
                .SetProperty(s => s.ETag, source.ETag).SetProperty(s => s.LastModified, source.LastModified), cancellationToken) == 1;
    }

#pragma warning disable CA1822 // Callers see one store, whatever a member needs of it.
    /// <summary>Marks sets as complete, in the transaction that names them.</summary>
    public Task CompleteAsync(ThreatFeedsContext db, long[] ids, CancellationToken cancellationToken) =>
        db.StoredSets.Where(s => ids.Contains(s.Id)).ExecuteUpdateAsync(u => u.SetProperty(s => s.Complete, true), cancellationToken);
#pragma warning restore CA1822

    /// <summary>Removes a set nobody names.</summary>
    public async Task DeleteAsync(long id, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // Both at once: a reader that finds no chunks looks for the row again, and a set that is being swept is not a damaged one.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.StoredSets.Where(s => s.Id == id).ExecuteDeleteAsync(cancellationToken);
        await db.SetChunks.Where(c => c.SetId == id).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
