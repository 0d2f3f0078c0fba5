using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Sets;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pushing;

/// <summary>Takes a set that somebody sends: the whole document replaces the feed's set; shrinking is allowed, since a push is deliberate.</summary>
public sealed class PushSet(FeedCatalog feeds, ListedSets sets, PushedDocuments documents, PushOutcomes outcomes) : IDisposable
{
    // Version, set and document change one after another; two pushes at once must not mix them. Pushes of other processes are kept out by the database.
    private readonly SemaphoreSlim _one = new(1, 1);

    private static readonly SetSource s_nothing = new(Convert.ToHexStringLower(SHA256.HashData([])), "", null, null);

    /// <summary>Takes a document.</summary>
    public async Task<PushResult> PushAsync(string feed, PushDocument document, Actor actor, CancellationToken cancellationToken, PushMode mode = PushMode.Put)
    {
        ArgumentNullException.ThrowIfNull(document);
        await _one.WaitAsync(cancellationToken);
        try
        {
            await using IAsyncDisposable turn = await documents.LockAsync(feed, cancellationToken);
            long? before = await documents.VersionAsync(feed, document.Content, cancellationToken);
            if (mode == PushMode.Create && before is { } version)
            {
                return new PushResult(PushStatus.Exists, version, $"The document {feed} exists already (version {version}); PUT it to /_doc/{feed} to replace it.");
            }
            if (mode == PushMode.Update && before is null)
            {
                return new PushResult(PushStatus.Missing, 0, $"There is no document {feed}; PUT it to /_doc/{feed}, or send \"doc_as_upsert\": true.");
            }
            PushResult result = await ApplyAsync(feed, document, actor, cancellationToken);
            return result with { Created = before is null };
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Deletes the document, which empties the set.</summary>
    public async Task<PushResult> DeleteAsync(string feed, ContentKind indexContent, Actor actor, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await using IAsyncDisposable turn = await documents.LockAsync(feed, cancellationToken);
            if (await documents.VersionAsync(feed, indexContent, cancellationToken) is not { } version)
            {
                return new PushResult(PushStatus.Missing, 0, $"There is no document {feed}.");
            }
            Push by = outcomes.Begin(actor);
            if ((await feeds.FindAsync(feed, cancellationToken))?.Feed is { Spec.Pull: null } found && found.Spec.Content == indexContent)
            {
                // The set goes first: a crash in between leaves a document that can be deleted again.
                SetChange? change = await sets.ReplaceAsync(found, IndicatorSet.Empty(indexContent), s_nothing, cancellationToken);
                await outcomes.EmptiedAsync(found, change, by, cancellationToken);
            }
            await documents.DeleteAsync(feed, indexContent, cancellationToken);
            return new PushResult(PushStatus.Deleted, version + 1, "");
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Applies the documents that wait for this feed, when it can take them.</summary>
    internal async Task ApplyWaitingAsync(string feed, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await using IAsyncDisposable turn = await documents.LockAsync(feed, cancellationToken);
            if ((await feeds.FindAsync(feed, cancellationToken))?.Feed is not { Spec.Pull: null } found)
            {
                return;
            }
            foreach (ContentKind content in Enum.GetValues<ContentKind>())
            {
                if (await documents.WaitingAsync(feed, content, cancellationToken) is not { } waiting)
                {
                    continue;
                }
                var document = PushDocument.Read(content, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(waiting)), cancellationToken);
                try
                {
                    if ((await StoreAsync(found, document, Actor.System, cancellationToken)).Status == PushStatus.Unusable)
                    {
                        await documents.DropWaitingAsync(feed, content, cancellationToken);
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    await outcomes.NotAppliedAsync(found, cancellationToken);
                    throw;
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<PushResult> ApplyAsync(string name, PushDocument document, Actor actor, CancellationToken cancellationToken)
    {
        Feed? feed = (await feeds.FindAsync(name, cancellationToken))?.Feed;
        if (feed is not null)
        {
            return await StoreAsync(feed, document, actor, cancellationToken);
        }
        if (document.Problem is { } problem)
        {
            return new PushResult(PushStatus.Unusable, 0, problem);
        }
        ParseResult parsed = await document.ParseAsync(urlsAsHosts: false, cancellationToken);
        if (PushDocument.Unusable(document.Content, parsed) is { } unusable)
        {
            return new PushResult(PushStatus.Unusable, 0, unusable);
        }
        if (!await documents.WaitAsync(name, document, cancellationToken))
        {
            return new PushResult(PushStatus.TooManyWaiting, 0, $"There is no feed {name}, and as many documents wait for feeds as may ({PushedDocuments.MaxWaiting}, and {PushedDocuments.MaxWaitingBytes >> 20} MiB together). Create the feed first.");
        }
        // The feed may have been created between the look and the wait; its creation then saw nothing to apply.
        feed = (await feeds.FindAsync(name, cancellationToken))?.Feed;
        return feed is { Spec.Pull: null }
            ? await StoreAsync(feed, document, actor, cancellationToken)
            : new PushResult(PushStatus.Waiting, 1, $"There is no feed {name} yet; the document is kept and applied when a feed of that name without pull and with content {document.Content} is created.", Accepted: parsed.Accepted, Refused: parsed.RefusedCount);
    }

    private async Task<PushResult> StoreAsync(Feed feed, PushDocument document, Actor actor, CancellationToken cancellationToken)
    {
        if (feed.Spec.Pull is { } pull)
        {
            return new PushResult(PushStatus.PulledFeed, 0, $"The feed {feed.Name} is pulled from {pull.Url.GetLeftPart(UriPartial.Path)}; the next pull would overwrite what is pushed. Remove spec.pull from the feed, or push to another one.");
        }
        Push by = outcomes.Begin(actor);
        string? problem = document.Content == feed.Spec.Content
            ? document.Problem
            : $"The feed {feed.Name} has content {feed.Spec.Content}, but this index is for content {document.Content}. Write {PushDocument.Sample(feed.Spec.Content)} to the index for {feed.Spec.Content}.";
        ParseResult? parsed = problem is null ? await document.ParseAsync(feed.UrlsAsHosts, cancellationToken) : null;
        problem ??= PushDocument.Unusable(document.Content, parsed!);
        if (problem is not null)
        {
            await outcomes.RefusedAsync(feed, problem, parsed, by, cancellationToken);
            return new PushResult(PushStatus.Unusable, 0, problem, Refused: parsed?.RefusedCount ?? 0);
        }
        SetChange? change = await sets.ReplaceAsync(feed, parsed!.Set, document.Source(), cancellationToken);
        long? version = change is null ? null : await documents.StoreAsync(feed, document, cancellationToken);
        if (change is null || version is null)
        {
            return new PushResult(PushStatus.Unusable, 0, $"The feed {feed.Name} was changed or deleted while the document was taken; send it again.");
        }
        await outcomes.StoredAsync(feed, parsed, change, by, cancellationToken);
        return new PushResult(PushStatus.Stored, version.Value, "", Accepted: parsed.Accepted, Refused: parsed.RefusedCount);
    }
}
