using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>Shows what a feed would give, before it is saved: fetches and reads the body, stores nothing.</summary>
public sealed class FeedPreviewer(FeedBodies bodies)
{
    /// <summary>Never fails for the feed's sake: what went wrong stands in the preview's problems. <see cref="FeedPreview.Busy"/> when too much is being fetched.</summary>
    public async Task<FeedPreview> PreviewAsync(Feed feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        if (feed.Spec.Pull is not { } pull)
        {
            return Nothing("", null, "The feed has no pull: its set is pushed, so that there is nothing to fetch.");
        }
        using FetchTurn? turn = await bodies.Turns.ForPreviewAsync(cancellationToken);
        if (turn is null)
        {
            return Nothing(pull.Format.Name, null, "As many feeds are being fetched as Pulling:MaxFetches allows. Try again in a moment.") with { Busy = true };
        }
        try
        {
            await using FetchedBody body = await bodies.FetchAsync(feed, null, turn.Token);
            ParseResult parsed = await bodies.ParseAsync(body, feed, turn.Token);
            IReadOnlyList<string> problems = parsed.Unusable is null || parsed.Problems.Contains(parsed.Unusable) ? parsed.Problems : [parsed.Unusable, .. parsed.Problems];
            return new FeedPreview(body.Status, body.Bytes, pull.Format.Name, parsed.Accepted, parsed.Cleaned, parsed.Skipped, parsed.Refused,
                parsed.Samples, parsed.Refusals, [.. problems.Select(p => VisibleText.Of(p, VisibleText.Message))], parsed.Columns);
        }
        catch (FetchException e)
        {
            return Nothing(pull.Format.Name, e.Status, e.Message) with { Busy = e.Busy };
        }
        catch (OperationCanceledException) when (turn.IsOver)
        {
            return Nothing(pull.Format.Name, null, $"Fetching and reading what {pull.Url.Authority} gives took longer than {turn.Limit.TotalSeconds:0} s, the limit of a preview. A pull has more time.");
        }
    }

    private static FeedPreview Nothing(string format, int? status, string problem) =>
        new(status, 0, format, 0, new Dictionary<string, long>(), 0, new Dictionary<string, long>(), [], [], [problem], []);
}
