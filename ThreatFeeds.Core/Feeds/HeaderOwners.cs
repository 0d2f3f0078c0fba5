using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Feeds;

/// <param name="Document">What the Secret or ConfigMap holds, as JSON; null when there is none.</param>
/// <param name="Refusal">Why the feed may not have it, as words behind its name; null when it may.</param>
public readonly record struct HeaderDocument(string? Document, string? Refusal);

/// <summary>
/// Whose the Secrets and ConfigMaps are that headers are taken from. One that was used belongs to the feed and the server that it was used for, until it is stored
/// anew with something else in it, or deleted: a feed that is made or changed later gains nothing by that. One that was never used may have been stored before its
/// feed; its name says whose it is, among the feeds there are.
/// </summary>
public sealed class HeaderOwners(IContextFactory contexts, ResourceStore store)
{
    /// <summary>The namespace that the original reads them from.</summary>
    public const string Namespace = "tigera-intrusion-detection";

    /// <summary>What the feed is to send to the server of <paramref name="url"/>; from now on it belongs to both.</summary>
    public async Task<HeaderDocument> UseAsync(string feed, Uri url, HeaderReference from, CancellationToken cancellationToken)
    {
        await using (ThreatFeedsContext db = contexts.Create())
        {
            ResourceRow? row = await store.GetAsync(db, Key(from), cancellationToken);
            HeaderBinding? bound = HeaderBinding.Of(row);
            if (await RefusalAsync(db, feed, from, bound, cancellationToken) is { } foreign)
            {
                return new HeaderDocument(null, foreign);
            }
            if (row is null || bound is not null)
            {
                return Give(row, bound, feed, url);
            }
        }
        return await WriteConflicts.RetryAsync(async ct =>
        {
            await using ThreatFeedsContext db = contexts.Create();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await store.LockAsync(db, ct);
            ResourceRow? row = await store.GetAsync(db, Key(from), ct);
            HeaderBinding? other = HeaderBinding.Of(row);
            if (row is null || other is not null)
            {
                // Somebody was faster.
                return Give(row, other, feed, url);
            }
            await store.UpdateStatusAsync(db, Key(from), row.Uid, _ => new HeaderBinding(feed, HeaderBinding.ServerOf(url), row.Generation).ToJson(), ct);
            await transaction.CommitAsync(ct);
            return new HeaderDocument(row.Spec, null);
        }, cancellationToken);
    }

    private static HeaderDocument Give(ResourceRow? row, HeaderBinding? bound, string feed, Uri url) =>
        bound?.Refusal(feed, url) is { } refusal ? new HeaderDocument(null, refusal) : new HeaderDocument(row?.Spec, null);

    /// <summary>Why the feed may not be saved with a header from there; null when it may.</summary>
    /// <param name="feed">Counts as a feed although it may not be stored yet.</param>
    internal static async Task<string?> RefusalAsync(ThreatFeedsContext db, string feed, HeaderReference from, CancellationToken cancellationToken)
    {
        string kind = Key(from).Kind.Name;
        ResourceRow? row = await db.Resources.AsNoTracking().FirstOrDefaultAsync(r => r.Kind == kind && r.Namespace == Namespace && r.Name == from.Name, cancellationToken);
        return await RefusalAsync(db, feed, from, HeaderBinding.Of(row), cancellationToken);
    }

    private static async Task<string?> RefusalAsync(ThreatFeedsContext db, string feed, HeaderReference from, HeaderBinding? bound, CancellationToken cancellationToken)
    {
        if (bound is not null)
        {
            return bound.RefusalOf(feed);
        }
        IReadOnlyList<string> candidates = HeaderOwner.Candidates(from.Name);
        List<string> there = await db.Resources.Where(r => r.Kind == ResourceKind.GlobalThreatFeed.Name && candidates.Contains(r.Name)).Select(r => r.Name).ToListAsync(cancellationToken);
        return HeaderOwner.Refusal(feed, from.Name, candidates.FirstOrDefault(c => c == feed || there.Contains(c)));
    }

    private static ResourceKey Key(HeaderReference from) => new(from.Secret ? ResourceKind.Secret : ResourceKind.ConfigMap, Namespace, from.Name);
}

/// <summary>The feed and the server that a Secret or ConfigMap was used for; stands in its status, which clients are not shown.</summary>
/// <param name="Server">Scheme, host and port.</param>
/// <param name="Generation">Of what it held: stored anew with something else, it is nobody's again.</param>
internal sealed record HeaderBinding(string Feed, string Server, long Generation)
{
    private const string Member = "usedBy";

    public static string ServerOf(Uri url) => $"{url.Scheme}://{url.Authority}";

    /// <summary>Null when it was not used yet.</summary>
    public static HeaderBinding? Of(ResourceRow? row) =>
        row is not null && ResourceDocument.Parse(row.Status)[Member] is JsonObject used
        && new HeaderBinding((string)used["feed"]!, (string)used["server"]!, (long)used["generation"]!) is var binding && binding.Generation == row.Generation ? binding : null;

    public JsonObject ToJson() => new() { [Member] = new JsonObject { ["feed"] = Feed, ["server"] = Server, ["generation"] = Generation } };

    public string? RefusalOf(string feed) => feed == Feed ? null
        : $"belongs to the feed {Feed}, which used it first; who knows what it holds can delete it and create it again for the feed {feed}";

    public string? Refusal(string feed, Uri url) => RefusalOf(feed) ?? (FeedOrigin.IsSameServer(new Uri(Server), url) ? null
        : $"belongs to the server {Server}, which the feed {Feed} pulled from when it used it first, and that feed now pulls from {ServerOf(url)}; who knows what it holds can delete it and create it again for that server");
}
