using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>The documents last pushed, and those that wait for their feed.</summary>
public sealed class PushedDocuments(IContextFactory contexts, TimeProvider time)
{
    /// <summary>Documents that may wait for feeds that do not exist; more are refused, so that a mistyped client cannot fill the disk.</summary>
    public const int MaxWaiting = 1000;

    /// <summary>The document as its writer reads it back, waiting or applied; null when there is none.</summary>
    public async Task<PushedDocument?> FindAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        PushedDocumentRow? row = await db.PushedDocuments.AsNoTracking().FirstOrDefaultAsync(d => d.Feed == feed && d.Content == content, cancellationToken);
        if (row is not null)
        {
            return new PushedDocument(feed, content, row.Document, row.Version);
        }
        string? waiting = await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).Select(d => d.Document).FirstOrDefaultAsync(cancellationToken);
        return waiting is null ? null : new PushedDocument(feed, content, waiting, 1);
    }

    /// <summary>Remembers an applied document; one that waited is no longer needed.</summary>
    /// <returns>Its version; null when the feed is gone, and then nothing is stored.</returns>
    internal async Task<long?> StoreAsync(Feed feed, ContentKind content, string document, CancellationToken cancellationToken)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // The document hangs on the feed's listing; locked, it cannot go before this is over.
        bool there = db.LocksRows
            ? (await db.Database.SqlQuery<long>($"""SELECT "Id" AS "Value" FROM listings WHERE "FeedUid" = {feed.Uid} FOR KEY SHARE""").ToListAsync(cancellationToken)).Count > 0
            : await db.Listings.AnyAsync(l => l.FeedUid == feed.Uid, cancellationToken);
        if (!there)
        {
            return null;
        }
        PushedDocumentRow? row = await db.PushedDocuments.FirstOrDefaultAsync(d => d.FeedUid == feed.Uid, cancellationToken);
        if (row is null)
        {
            row = new PushedDocumentRow { FeedUid = feed.Uid, Feed = feed.Name, Content = content, Document = document };
            db.PushedDocuments.Add(row);
        }
        row.Version = row.Content == content ? row.Version + 1 : 1;
        row.Content = content;
        row.Document = document;
        row.UpdatedAt = now;
        await db.SaveChangesAsync(cancellationToken);
        await db.WaitingPushes.Where(d => d.Feed == feed.Name && d.Content == content).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return row.Version;
    }

    /// <summary>Keeps a document until its feed appears. False when too many wait already.</summary>
    internal async Task<bool> WaitAsync(string feed, ContentKind content, string document, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        WaitingPushRow? row = await db.WaitingPushes.FirstOrDefaultAsync(d => d.Feed == feed && d.Content == content, cancellationToken);
        if (row is null)
        {
            if (await db.WaitingPushes.CountAsync(cancellationToken) >= MaxWaiting)
            {
                return false;
            }
            row = new WaitingPushRow { Feed = feed, Content = content, Document = document };
            db.WaitingPushes.Add(row);
        }
        row.Document = document;
        row.ReceivedAt = time.GetUtcNow().UtcDateTime;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    internal async Task<bool> DeleteAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        int waiting = await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).ExecuteDeleteAsync(cancellationToken);
        int applied = await db.PushedDocuments.Where(d => d.Feed == feed && d.Content == content).ExecuteDeleteAsync(cancellationToken);
        return waiting + applied > 0;
    }

    internal async Task<IReadOnlyList<WaitingPushRow>> WaitingAsync(string feed, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.WaitingPushes.AsNoTracking().Where(d => d.Feed == feed).ToListAsync(cancellationToken);
    }

    internal async Task<IReadOnlyList<string>> WaitingFeedsAsync(CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.WaitingPushes.Select(d => d.Feed).Distinct().ToListAsync(cancellationToken);
    }

    internal async Task DropWaitingAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).ExecuteDeleteAsync(cancellationToken);
    }
}
