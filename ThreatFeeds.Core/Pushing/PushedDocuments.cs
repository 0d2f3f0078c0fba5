using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>The documents last pushed, and those that wait for their feed.</summary>
public sealed class PushedDocuments(IContextFactory contexts)
{
    /// <summary>Documents that may wait for feeds that do not exist; more are refused, so that a mistyped client cannot fill the disk.</summary>
    public const int MaxWaiting = 1000;

    /// <summary>Bytes of all that wait together.</summary>
    public const long MaxWaitingBytes = 512L << 20;

    /// <summary>A test's is smaller.</summary>
    internal long MaxBytes { get; set; } = MaxWaitingBytes;

    /// <summary>The first of the two numbers of the locks of pushes; the second is of the feed.</summary>
    private const int LockSpace = 1_500;

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

    /// <summary>The version of the document, waiting or applied, without the document; null when there is none.</summary>
    public async Task<long?> VersionAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        long? applied = await db.PushedDocuments.Where(d => d.Feed == feed && d.Content == content).Select(d => (long?)d.Version).FirstOrDefaultAsync(cancellationToken);
        return applied ?? (await db.WaitingPushes.AnyAsync(d => d.Feed == feed && d.Content == content, cancellationToken) ? 1 : null);
    }

    /// <summary>Characters of the document, waiting or applied; null when there is none.</summary>
    public async Task<long?> LengthAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        int? applied = await db.PushedDocuments.Where(d => d.Feed == feed && d.Content == content).Select(d => (int?)d.Document.Length).FirstOrDefaultAsync(cancellationToken);
        return applied ?? await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).Select(d => (int?)d.Document.Length).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>
    /// On PostgreSQL keeps other processes from the feed's set and document until it is disposed; should the connection be lost, so is the lock. With SQLite there
    /// is one process.
    /// </summary>
    internal async Task<IAsyncDisposable> LockAsync(string feed, CancellationToken cancellationToken)
    {
        ThreatFeedsContext db = contexts.Create();
        try
        {
            if (db.LocksRows)
            {
                // Ends with the context.
                await db.Database.BeginTransactionAsync(cancellationToken);
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockSpace}, hashtext({feed}))", cancellationToken);
            }
            return db;
        }
        catch
        {
            await db.DisposeAsync();
            throw;
        }
    }

    /// <summary>Remembers an applied document; one that waited is no longer needed.</summary>
    /// <returns>Its version; null when the feed is gone, and then nothing is stored.</returns>
    internal async Task<long?> StoreAsync(Feed feed, PushDocument document, CancellationToken cancellationToken)
    {
        ContentKind content = document.Content;
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
        var before = await db.PushedDocuments.Where(d => d.FeedUid == feed.Uid).Select(d => new { d.Content, d.Version }).FirstOrDefaultAsync(cancellationToken);
        long version = before is not null && before.Content == content ? before.Version + 1 : 1;
        if (before is null)
        {
            db.PushedDocuments.Add(new PushedDocumentRow { FeedUid = feed.Uid, Feed = feed.Name, Content = content, Document = "" });
            await db.SaveChangesAsync(cancellationToken);
        }
        await db.PushedDocuments.Where(d => d.FeedUid == feed.Uid)
            .ExecuteUpdateAsync(d => d.SetProperty(r => r.Version, version).SetProperty(r => r.Content, content), cancellationToken);
        await WriteAsync(db, "UPDATE pushed_documents SET \"Document\" = {0} WHERE \"FeedUid\" = {1}", document, [feed.Uid], cancellationToken);
        await db.WaitingPushes.Where(d => d.Feed == feed.Name && d.Content == content).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return version;
    }

    /// <summary>Keeps a document until its feed appears. False when too many wait already.</summary>
    internal async Task<bool> WaitAsync(string feed, PushDocument document, CancellationToken cancellationToken)
    {
        ContentKind content = document.Content;
        using ThreatFeedsContext db = contexts.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await db.WaitingPushes.AnyAsync(d => d.Feed == feed && d.Content == content, cancellationToken))
        {
            if (await db.WaitingPushes.CountAsync(cancellationToken) >= MaxWaiting)
            {
                return false;
            }
            db.WaitingPushes.Add(new WaitingPushRow { Feed = feed, Content = content, Document = "" });
            await db.SaveChangesAsync(cancellationToken);
        }
        // Told by the database, which has them at hand: the texts themselves are not read for it.
        long others = await db.Database.SqlQuery<long>($"""SELECT CAST(COALESCE(SUM(octet_length("Document")), 0) AS bigint) AS "Value" FROM waiting_pushes WHERE NOT ("Feed" = {feed} AND "Content" = {Word.Of(content)})""").SingleAsync(cancellationToken);
        if (others + document.Bytes.Length > MaxBytes)
        {
            return false;
        }
        await WriteAsync(db, "UPDATE waiting_pushes SET \"Document\" = {0} WHERE \"Feed\" = {1} AND \"Content\" = {2}", document, [feed, Word.Of(content)], cancellationToken);
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

    /// <summary>The document of this content that waits for the feed; null when none does.</summary>
    internal async Task<string?> WaitingAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).Select(d => d.Document).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Feeds that are there and for which a document waits.</summary>
    internal async Task<IReadOnlyList<string>> WaitingFeedsAsync(CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        return await db.WaitingPushes.Where(d => db.Listings.Any(l => l.Feed == d.Feed)).Select(d => d.Feed).Distinct().ToListAsync(cancellationToken);
    }

    internal async Task DropWaitingAsync(string feed, ContentKind content, CancellationToken cancellationToken)
    {
        using ThreatFeedsContext db = contexts.Create();
        await db.WaitingPushes.Where(d => d.Feed == feed && d.Content == content).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Writes the text as bytes: a document may have 100 MiB, and a text of .NET is twice as large.</summary>
    private static async Task WriteAsync(ThreatFeedsContext db, string statement, PushDocument document, object[] key, CancellationToken cancellationToken)
    {
        string bytes = db.LocksRows ? "convert_from({0}, 'UTF8')" : "CAST({0} AS TEXT)";
        await db.Database.ExecuteSqlAsync(
            FormattableStringFactory.Create(statement.Replace("{0}", bytes, StringComparison.Ordinal), [document.Bytes.ToArray(), .. key]), cancellationToken);
    }
}
