using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>A stored set with the Unix second each entry has been listed since.</summary>
public sealed record DatedSet(IndicatorSet Set, long[] Since);

/// <param name="At">Null when the set does not list the entry.</param>
public sealed record ListedSince(DateTimeOffset? At);

/// <summary>Reads and writes stored sets chunk by chunk. A set is invisible until a listing or a change names it.</summary>
public sealed class StoredSets(IContextFactory contexts, TimeProvider time)
{
    /// <summary>How the chunks of sets written now are encoded (<see cref="StoredSetRow.Format"/>).</summary>
    public const int Format = 1;

    /// <summary>In place of the format: the set was found damaged. It is never read again, whatever the disk says later, so that all of the next set counts as added.</summary>
    private const int Damaged = 0;

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
            CreatedAt = await db.NowAsync(cancellationToken),
            Format = Format,
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
        if (Unreadable(row) is { } unreadable)
        {
            return await DamagedAsync<DatedSet>(id, unreadable, cancellationToken);
        }
        var builder = new IndicatorSetBuilder(row.Content, long.MaxValue);
        var since = new List<long>();
        await foreach (SetChunkRow chunk in Chunks(db, id).WithCancellation(cancellationToken))
        {
            Exception? problem = Decode(chunk, (entry, at) =>
            {
                builder.Add(entry);
                since.Add(at);
            });
            if (problem is not null)
            {
                return await DamagedAsync<DatedSet>(id, problem, cancellationToken);
            }
        }
        return since.Count == row.Count ? new DatedSet(builder.Build(cancellationToken), [.. since])
            : await DamagedAsync<DatedSet>(id, since.Count, row.Count, cancellationToken);
    }

    /// <summary>Since when the set lists exactly this entry; null when the set has been swept away meanwhile.</summary>
    /// <exception cref="DamagedSetException">As for the whole set.</exception>
    public async Task<ListedSince?> SinceAsync(long id, byte[] encoded, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (await db.StoredSets.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, cancellationToken) is not { } row)
        {
            return null;
        }
        if (Unreadable(row) is { } unreadable)
        {
            return await DamagedAsync<ListedSince>(id, unreadable, cancellationToken);
        }
        var chunks = await db.SetChunks.AsNoTracking().Where(c => c.SetId == id).OrderBy(c => c.Ordinal).Select(c => new { c.Ordinal, c.First, c.Count }).ToListAsync(cancellationToken);
        long held = chunks.Sum(c => (long)c.Count);
        if (held != row.Count)
        {
            return await DamagedAsync<ListedSince>(id, held, row.Count, cancellationToken);
        }
        var holder = chunks.LastOrDefault(c => c.First.AsSpan().SequenceCompareTo(encoded) <= 0);
        SetChunkRow? chunk = holder is null ? null : await db.SetChunks.AsNoTracking().FirstOrDefaultAsync(c => c.SetId == id && c.Ordinal == holder.Ordinal, cancellationToken);
        long? found = null;
        Exception? problem = chunk is null ? null : Decode(chunk, (entry, at) =>
        {
            if (entry.SequenceEqual(encoded))
            {
                found = at;
            }
        });
        return problem is not null ? await DamagedAsync<ListedSince>(id, problem, cancellationToken)
            : new ListedSince(found is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null);
    }

    /// <summary>Entries as text in order, from a place on; null when the set has been swept away meanwhile.</summary>
    /// <param name="contains">Only entries with this text in them (ignoring case); null for all.</param>
    /// <exception cref="DamagedSetException">As for the whole set.</exception>
    public async Task<Page<string>?> PageAsync(long id, string? contains, long skip, int limit, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (await db.StoredSets.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, cancellationToken) is not { } row)
        {
            return null;
        }
        if (Unreadable(row) is { } unreadable)
        {
            return await DamagedAsync<Page<string>>(id, unreadable, cancellationToken);
        }
        long held = await db.SetChunks.Where(c => c.SetId == id).SumAsync(c => (long)c.Count, cancellationToken);
        if (held != row.Count)
        {
            return await DamagedAsync<Page<string>>(id, held, row.Count, cancellationToken);
        }
        var items = new List<string>();
        long place = 0;
        await foreach (SetChunkRow chunk in Chunks(db, id).WithCancellation(cancellationToken))
        {
            if (contains is null && place + chunk.Count <= skip)
            {
                place += chunk.Count;
                continue;
            }
            Exception? problem = Decode(chunk, (entry, _) =>
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
            if (problem is not null)
            {
                return await DamagedAsync<Page<string>>(id, problem, cancellationToken);
            }
            if (items.Count > limit)
            {
                string next = items[limit];
                items.RemoveAt(limit);
                return new Page<string>(items, next);
            }
        }
        return new Page<string>(items, null);
    }

    /// <summary>Notes that the same set came again, by another body or from elsewhere. False when it is gone, or was found damaged meanwhile.</summary>
    public async Task<bool> TouchAsync(long id, SetSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.StoredSets.Where(s => s.Id == id && s.Format == Format).ExecuteUpdateAsync(
            u => u.SetProperty(s => s.Digest, source.Digest).SetProperty(s => s.Origin, source.Origin)
                .SetProperty(s => s.ETag, source.ETag).SetProperty(s => s.LastModified, source.LastModified), cancellationToken) == 1;
    }

#pragma warning disable CA1822 // Callers see one store, whatever a member needs of it.
    /// <summary>Marks sets as complete, in the transaction that names them. False when one of them was swept away meanwhile: nothing may name it then.</summary>
    /// <param name="ids">Without repeats.</param>
    public async Task<bool> CompleteAsync(ThreatFeedsContext db, long[] ids, CancellationToken cancellationToken) =>
        await db.StoredSets.Where(s => ids.Contains(s.Id)).ExecuteUpdateAsync(u => u.SetProperty(s => s.Complete, true), cancellationToken) == ids.Length;

    /// <summary>Whether nobody has found the set damaged; nobody can until the caller's transaction ends.</summary>
    public async Task<bool> HoldAsync(ThreatFeedsContext db, long id, CancellationToken cancellationToken) =>
        await db.StoredSets.Where(s => s.Id == id && s.Format == Format).ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, Format), cancellationToken) == 1;
#pragma warning restore CA1822

    /// <summary>Removes a set nobody names.</summary>
    public async Task DeleteAsync(long id, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await DeleteAsync(db, id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Both at once, in the caller's transaction: a reader that finds no chunks looks for the row again, and a set that is being swept is not a damaged one.</summary>
    internal static async Task DeleteAsync(ThreatFeedsContext db, long id, CancellationToken cancellationToken)
    {
        await db.StoredSets.Where(s => s.Id == id).ExecuteDeleteAsync(cancellationToken);
        await db.SetChunks.Where(c => c.SetId == id).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Why it is not even tried to decode the set; null when it is.</summary>
    private static DamagedSetException? Unreadable(StoredSetRow row) => row.Format switch
    {
        Format => null,
        Damaged => new DamagedSetException("it could not be read before."),
        _ => new DamagedSetException(string.Create(CultureInfo.InvariantCulture, $"it has form {row.Format} of a later version, and this one reads form {Format}.")),
    };

    private static IAsyncEnumerable<SetChunkRow> Chunks(ThreatFeedsContext db, long id) => db.SetChunks.AsNoTracking().Where(c => c.SetId == id).OrderBy(c => c.Ordinal).AsAsyncEnumerable();

    /// <summary>Why the chunk cannot be decoded; null when it was.</summary>
    private static Exception? Decode(SetChunkRow chunk, Action<ReadOnlySpan<byte>, long> entry)
    {
        try
        {
            SetChunkCodec.Decode(chunk.Data, chunk.Count, entry);
            return null;
        }
        catch (Exception problem) when (problem is InvalidDataException or InvalidOperationException or IOException or FormatException or ArgumentException)
        {
            return problem;
        }
    }

    private Task<T?> DamagedAsync<T>(long id, Exception problem, CancellationToken cancellationToken)
        where T : class => DamagedAsync<T>(id, new DamagedSetException($"a chunk cannot be decoded ({problem.GetType().Name}).", problem), cancellationToken);

    private Task<T?> DamagedAsync<T>(long id, long held, long count, CancellationToken cancellationToken)
        where T : class => DamagedAsync<T>(id, new DamagedSetException($"its chunks hold {held} of {count} entries."), cancellationToken);

    /// <summary>Throws, or gives null when the set was being swept away: a sweep takes the row with the chunks, so that a row that is there still says that nobody took them.</summary>
    private async Task<T?> DamagedAsync<T>(long id, DamagedSetException damage, CancellationToken cancellationToken)
        where T : class
    {
        await using ThreatFeedsContext db = contexts.Create();
        int there = await db.StoredSets.Where(s => s.Id == id)
            .ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, Damaged).SetProperty(s => s.Digest, "").SetProperty(s => s.Origin, "").SetProperty(s => s.ETag, (string?)null).SetProperty(s => s.LastModified, (string?)null), cancellationToken);
        return there == 0 ? null : throw damage;
    }
}
