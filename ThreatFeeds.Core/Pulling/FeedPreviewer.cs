using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>
/// Shows what a feed would give, before it is saved: fetches and reads the body, stores nothing. What stands in Secrets goes only where the feed of that name
/// is saved to pull from: otherwise whoever may try a manifest could read them.
/// </summary>
public sealed class FeedPreviewer(FetchTurns turns, FeedBodies bodies, HeaderSources headers, FeedCatalog catalog)
{
    /// <summary>Never fails for the feed's sake: what went wrong stands in the preview's problems. <see cref="FeedPreview.Busy"/> when too much is being fetched.</summary>
    public async Task<FeedPreview> PreviewAsync(Feed feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        if (feed.Spec.Pull is not { } pull)
        {
            return Nothing("", null, ["The feed has no pull: its set is pushed, so that there is nothing to fetch."]);
        }
        using FetchTurn? turn = await turns.ForPreviewAsync(cancellationToken);
        if (turn is null)
        {
            return Nothing(pull.Format.Name, null, ["As many feeds are being fetched as Pulling:MaxFetches allows. Try again in a moment."]) with { Busy = true };
        }
        IReadOnlyList<string> withheld = [];
        try
        {
            RequestHeaders sent = await headers.ResolveAsync(feed, await WithholdAsync(feed, pull, turn.Token), turn.Token);
            withheld = sent.Withheld;
            await using FetchedBody body = await bodies.FetchAsync(feed, null, sent, turn.Token);
            ParseResult parsed = await bodies.ParseAsync(body, feed, turn.Token);
            IReadOnlyList<string> problems = parsed.Unusable is null || parsed.Problems.Contains(parsed.Unusable) ? parsed.Problems : [parsed.Unusable, .. parsed.Problems];
            return new FeedPreview(body.Status, body.Bytes, pull.Format.Name, parsed.Accepted, parsed.Cleaned, parsed.Skipped, parsed.Refused,
                parsed.Samples, parsed.Refusals, [.. withheld, .. problems.Select(p => VisibleText.Of(p, VisibleText.Message))], parsed.Columns);
        }
        catch (FetchException e)
        {
            return Nothing(pull.Format.Name, e.Status, [.. withheld, e.Message]) with { Busy = e.Busy };
        }
        catch (OperationCanceledException) when (turn.IsOver)
        {
            return Nothing(pull.Format.Name, null, [.. withheld, $"Fetching and reading what {pull.Url.Authority} gives took longer than {turn.Limit.TotalSeconds:0} s, the limit of a preview. A pull has more time."]);
        }
    }

    /// <summary>Why nothing of a Secret or ConfigMap may be sent; null when it may.</summary>
    private async Task<string?> WithholdAsync(Feed feed, PullSpec pull, CancellationToken cancellationToken)
    {
        const string Then = "Save the feed first; its pulls send it, and so do its tests from then on.";
        return (await catalog.FindAsync(feed.Name, cancellationToken))?.Feed switch
        {
            null => $"The feed {feed.Name} is not saved. {Then}",
            { Spec.Pull: null } => $"The saved feed {feed.Name} is pushed, not pulled. {Then}",
            { Spec.Pull.Url: var saved } when !FeedOrigin.IsSameServer(saved, pull.Url) => $"The saved feed {feed.Name} pulls from {Server(saved)}, not from {Server(pull.Url)}. {Then}",
            _ => null,
        };
    }

    private static string Server(Uri url) => $"{url.Scheme}://{url.Authority}";

    private static FeedPreview Nothing(string format, int? status, IReadOnlyList<string> problems) =>
        new(status, 0, format, 0, new Dictionary<string, long>(), 0, new Dictionary<string, long>(), [], [], problems, []);
}
