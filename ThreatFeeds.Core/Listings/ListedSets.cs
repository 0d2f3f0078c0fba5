using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Listings;

/// <summary>What replacing did.</summary>
/// <param name="Outcome">Replaced or unchanged.</param>
public sealed record SetChange(RunOutcome Outcome, long Added, long Removed);

/// <summary>The set each feed lists now: replaces it as a whole and remembers what that added.</summary>
public sealed class ListedSets(IContextFactory contexts, StoredSets stored, ListingChanges listings)
{
    /// <summary>
    /// Makes the set the feed's current one. What was written before is invisible until the one short transaction at the end.
    /// </summary>
    /// <returns>Null when the feed is gone, or its content changed meanwhile; nothing is stored then.</returns>
    public Task<SetChange?> ReplaceAsync(Feed feed, IndicatorSet set, SetSource source, CancellationToken cancellationToken) => Work.Replace.RunAsync(async span =>
    {
        span.Tell("feed", feed.Name);
        span.Tell("indicators", set.Count);
        SetChange? change = await ReplaceCurrentAsync(feed, set, source, cancellationToken);
        span.Ended(change is null ? "gone" : Word.Of(change.Outcome));
        span.Tell("added", change?.Added ?? 0);
        span.Tell("removed", change?.Removed ?? 0);
        return change;
    });

    /// <summary>The set now current; null when there is none.</summary>
    public async Task<StoredSetRow?> CurrentAsync(Guid feedUid, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await (from l in db.Listings.AsNoTracking()
                      join s in db.StoredSets.AsNoTracking() on l.SetId equals s.Id
                      where l.FeedUid == feedUid
                      select s).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Names of enabled feeds whose set was found damaged: it is not searched for until the next body replaces it.</summary>
    public async Task<IReadOnlyList<string>> DamagedAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.DamagedListings().Select(l => l.Feed).ToListAsync(cancellationToken);
    }

    /// <summary>The whole set of the feed; null when it has none.</summary>
    /// <exception cref="DamagedSetException">With the feed's name and the way out.</exception>
    public async Task<IndicatorSet?> ReadAsync(string feed, CancellationToken cancellationToken) =>
        (await AskAsync(feed, id => stored.ReadAsync(id, cancellationToken), cancellationToken))?.Set;

    /// <summary>Since when the feed lists exactly this entry without a break; null when it does not.</summary>
    /// <exception cref="DamagedSetException">With the feed's name and the way out.</exception>
    public async Task<DateTimeOffset?> SinceAsync(string feed, byte[] entry, CancellationToken cancellationToken) =>
        (await AskAsync(feed, id => stored.SinceAsync(id, entry, cancellationToken), cancellationToken))?.At;

    /// <summary>The feed's indicators as text, in order.</summary>
    /// <param name="after">The cursor of the page before.</param>
    /// <exception cref="DamagedSetException">With the feed's name and the way out.</exception>
    public async Task<Page<string>> IndicatorsAsync(string feed, string? after, int limit, CancellationToken cancellationToken, string? contains = null)
    {
        long skip = 0;
        Page<string>? page = after is null || long.TryParse(after, CultureInfo.InvariantCulture, out skip)
            ? await AskAsync(feed, id => stored.PageAsync(id, contains, skip, limit, cancellationToken), cancellationToken) : null;
        return page ?? new Page<string>([], null);
    }

    private async Task<SetChange?> ReplaceCurrentAsync(Feed feed, IndicatorSet set, SetSource source, CancellationToken cancellationToken)
    {
        while (true)
        {
            ListingRow? seen = await ListingAsync(feed.Uid, cancellationToken);
            if (seen is null || seen.Content != set.Content)
            {
                return null;
            }
            (DatedSet? before, bool swept) = await BeforeAsync(seen, cancellationToken);
            if (swept)
            {
                continue;
            }
            IndicatorSet old = before?.Set ?? IndicatorSet.Empty(set.Content);
            IndicatorSetDifference change = IndicatorSetDifference.Compare(old, set, before?.Delta?.Most ?? 0);
            bool differs = change.Added.Count > 0 || change.RemovedCount > 0;
            if (before is not null && !differs)
            {
                if (await stored.TouchAsync(seen.SetId!.Value, source, cancellationToken))
                {
                    return new SetChange(RunOutcome.Unchanged, 0, 0);
                }
                continue;
            }
            if (await TryReplaceAsync(seen, before, set, change, differs || (before is null && seen.SetId is not null), source, cancellationToken))
            {
                listings.Changed();
                return new SetChange(RunOutcome.Replaced, change.Added.Count, change.RemovedCount);
            }
        }
    }

    /// <summary>Asks the set that the feed lists now, the next one when that was replaced and swept away meanwhile.</summary>
    private async Task<T?> AskAsync<T>(string feed, Func<long, Task<T?>> ask, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            await using ThreatFeedsContext db = contexts.Create();
            if (await db.Listings.Where(l => l.Feed == feed).Select(l => l.SetId).FirstOrDefaultAsync(cancellationToken) is not { } id)
            {
                return null;
            }
            if (await NamedSet.AskAsync(db, feed, id, ask, cancellationToken) is { } answer)
            {
                return answer;
            }
        }
    }

    /// <summary>The set to compare with; of a damaged one nothing is left, so that everything counts as added.</summary>
    private async Task<(DatedSet? Set, bool Swept)> BeforeAsync(ListingRow listing, CancellationToken cancellationToken)
    {
        if (listing.SetId is not { } id)
        {
            return (null, false);
        }
        try
        {
            DatedSet? set = await stored.ReadAsync(id, cancellationToken);
            // Named still and not there: that is damage too.
            return (set, set is null && (await ListingAsync(listing.FeedUid, cancellationToken))?.SetId != id);
        }
        catch (DamagedSetException)
        {
            return (null, false);
        }
    }

    private async Task<ListingRow?> ListingAsync(Guid feedUid, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return await db.Listings.AsNoTracking().FirstOrDefaultAsync(l => l.FeedUid == feedUid, cancellationToken);
    }

    private async Task<bool> TryReplaceAsync(ListingRow seen, DatedSet? before, IndicatorSet set, IndicatorSetDifference change, bool changed, SetSource source, CancellationToken cancellationToken)
    {
        IndicatorSet added = change.Added;
        DatedSet news = stored.Date(added, null);
        DatedSet dated = stored.Date(set, before) with { Delta = before?.Delta?.Then(news, change.Removed) };
        long id = await stored.WriteAsync(dated, source, cancellationToken);
        // A first set is its own difference; storing it twice would say nothing more.
        long addedId = added.Count == set.Count ? id : added.Count == 0 ? 0 : await stored.WriteAsync(news, new SetSource("", "", null, null), cancellationToken);

        await using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        int moved = await db.Listings.Where(l => l.Id == seen.Id && l.SetId == seen.SetId && l.Content == seen.Content)
            .ExecuteUpdateAsync(u => u.SetProperty(l => l.SetId, id), cancellationToken);
        // The difference is right only while what it was taken from was searched for; and what is named must be there.
        if (moved == 0 || (before is not null && !await stored.HoldAsync(db, seen.SetId!.Value, cancellationToken))
            || !await stored.CompleteAsync(db, addedId == id || addedId == 0 ? [id] : [id, addedId], cancellationToken))
        {
            await transaction.RollbackAsync(cancellationToken);
            await stored.DeleteAsync(id, cancellationToken);
            if (addedId != id && addedId != 0)
            {
                await stored.DeleteAsync(addedId, cancellationToken);
            }
            return false;
        }
        ListingRow listing = await db.Listings.AsNoTracking().FirstAsync(l => l.Id == seen.Id, cancellationToken);
        if (listing.Enabled && changed)
        {
            await listings.RecordAsync(db, listing, ListingReason.Set, addedId, added.Count, cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return true;
    }
}
