using System.Globalization;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <param name="At">Null when the set does not list the entry.</param>
public sealed record ListedSince(DateTimeOffset? At);

/// <summary>
/// Reads and writes stored sets chunk by chunk. A set that differs little from the one before it is stored as a delta: it shares the chunks of a base and has of its own what
/// it adds and removes. A set is invisible until a listing or a change names it.
/// </summary>
public sealed class StoredSets(IContextFactory contexts, TimeProvider time)
{
    /// <summary>How the chunks of sets written now are encoded (<see cref="StoredSetRow.Format"/>); earlier forms are read, too.</summary>
    public const int Format = 2;

    /// <summary>In place of the format: the set was found damaged. It is never read again, whatever the disk says later, so that all of the next set counts as added.</summary>
    internal const int Damaged = 0;

    /// <summary>Bytes of chunks that are written with one commit.</summary>
    private const int CommitBytes = 4 << 20;

    /// <summary>Nobody has found it damaged, and it has a form that this version reads.</summary>
    internal static Expression<Func<StoredSetRow, bool>> Readable { get; } = s => s.Format > Damaged && s.Format <= Format;

    /// <summary>Writes a set outside of any long transaction and returns its id; it is not complete yet. One with a delta is written as that.</summary>
    public async Task<long> WriteAsync(DatedSet set, SetSource source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(source);
        await using ThreatFeedsContext db = contexts.Create();
        var row = new StoredSetRow
        {
            Content = set.Set.Content,
            Count = set.Set.Count,
            BaseId = set.Delta?.BaseId,
            Digest = source.Digest,
            Origin = source.Origin,
            ETag = source.ETag,
            LastModified = source.LastModified,
            CreatedAt = await db.NowAsync(cancellationToken),
            Format = Format,
        };
        db.StoredSets.Add(row);
        await db.SaveChangesAsync(cancellationToken);
        int bytes = 0;
        foreach (SetChunkRow chunk in set.Delta is { } delta ? Chunks(row, delta) : Chunks(row, set, 0, removed: false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            db.SetChunks.Add(chunk);
            if ((bytes += chunk.Data.Length) >= CommitBytes)
            {
                await db.SaveChangesAsync(cancellationToken);
                db.ChangeTracker.Clear();
                bytes = 0;
            }
        }
        await db.SaveChangesAsync(cancellationToken);
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
    public Task<DatedSet?> ReadAsync(long id, CancellationToken cancellationToken) => AskAsync(id, async (db, layout) =>
    {
        var builder = new IndicatorSetBuilder(layout.Row.Content, long.MaxValue);
        var since = new long[layout.Row.Count];
        int count = 0;
        foreach (SetLayout.Part part in layout.Parts)
        {
            await layout.ReadAsync(db, part, (entry, at) =>
            {
                builder.Add(entry);
                since[count++] = at;
            }, cancellationToken);
        }
        return new DatedSet(builder.Build(cancellationToken), since) { Delta = layout.Delta };
    }, cancellationToken);

    /// <summary>Since when the set lists exactly this entry; null when the set has been swept away meanwhile.</summary>
    /// <exception cref="DamagedSetException">As for the whole set.</exception>
    public Task<ListedSince?> SinceAsync(long id, byte[] encoded, CancellationToken cancellationToken) => AskAsync(id, async (db, layout) =>
        new ListedSince(await layout.FindAsync(db, encoded, cancellationToken) is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null), cancellationToken);

    /// <summary>Entries as text in order, from a place on; null when the set has been swept away meanwhile.</summary>
    /// <param name="contains">Only entries with this text in them (ignoring case); null for all.</param>
    /// <exception cref="DamagedSetException">As for the whole set.</exception>
    public Task<Page<string>?> PageAsync(long id, string? contains, long skip, int limit, CancellationToken cancellationToken) => AskAsync(id, async (db, layout) =>
    {
        var items = new List<string>();
        long place = 0;
        foreach (SetLayout.Part part in layout.Parts)
        {
            if (place + part.Count <= skip)
            {
                place += part.Count;
                continue;
            }
            await layout.ReadAsync(db, part, (entry, _) =>
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
            }, cancellationToken);
            if (items.Count > limit)
            {
                string next = items[limit];
                items.RemoveAt(limit);
                return new Page<string>(items, next);
            }
        }
        return new Page<string>(items, null);
    }, cancellationToken);

    /// <summary>Notes that the same set came again, by another body or from elsewhere. False when it is gone, or was found damaged meanwhile.</summary>
    public async Task<bool> TouchAsync(long id, SetSource source, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.StoredSets.Where(Readable).Where(s => s.Id == id).ExecuteUpdateAsync(
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
        await db.StoredSets.Where(Readable).Where(s => s.Id == id).ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, s => s.Format), cancellationToken) == 1;
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

    private static IEnumerable<SetChunkRow> Chunks(StoredSetRow row, SetDelta delta)
    {
        int added = 0;
        foreach (SetChunkRow chunk in Chunks(row, delta.Added, 0, removed: false))
        {
            added++;
            yield return chunk;
        }
        // Their times are those of the base and matter no more.
        foreach (SetChunkRow chunk in Chunks(row, new DatedSet(delta.Removed, new long[delta.Removed.Count]), added, removed: true))
        {
            yield return chunk;
        }
    }

    private static IEnumerable<SetChunkRow> Chunks(StoredSetRow row, DatedSet set, int ordinal, bool removed)
    {
        for (int from = 0; from < set.Set.Count; from += SetChunkCodec.Entries)
        {
            int count = Math.Min(SetChunkCodec.Entries, set.Set.Count - from);
            yield return new SetChunkRow { SetId = row.Id, Ordinal = ordinal++, Count = count, First = set.Set[from].ToArray(), Data = SetChunkCodec.Encode(set, from, count), Removed = removed };
        }
    }

    /// <summary>Asks a set; null when it is not there. A sweep takes the row with the chunks, so that a row that is there still says that nobody took them.</summary>
    private async Task<T?> AskAsync<T>(long id, Func<ThreatFeedsContext, SetLayout, Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (await db.StoredSets.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, cancellationToken) is not { } row)
        {
            return null;
        }
        try
        {
            return await ask(db, await SetLayout.OpenAsync(db, row, cancellationToken));
        }
        catch (DamagedSetException damage)
        {
            // Of what is wrong in a base, all that share it have a part.
            int there = await db.StoredSets.Where(s => (s.Id == damage.SetId || s.BaseId == damage.SetId) && db.StoredSets.Any(asked => asked.Id == id))
                .ExecuteUpdateAsync(u => u.SetProperty(s => s.Format, Damaged).SetProperty(s => s.Digest, "").SetProperty(s => s.Origin, "").SetProperty(s => s.ETag, (string?)null).SetProperty(s => s.LastModified, (string?)null), cancellationToken);
            if (there == 0)
            {
                return null;
            }
            throw;
        }
    }
}
