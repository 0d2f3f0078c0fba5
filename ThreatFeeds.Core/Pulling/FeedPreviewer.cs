using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Pulling;

/// <summary>Shows what a feed would give, before it is saved: fetches and reads the body, stores nothing.</summary>
public sealed class FeedPreviewer(FeedBodies bodies, TimeProvider time)
{
    /// <summary>The whole preview takes no longer.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Never fails for the feed's sake: what went wrong stands in the preview's problems.</summary>
    public async Task<FeedPreview> PreviewAsync(Feed feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        if (feed.Spec.Pull is not { } pull)
        {
            return Nothing("", null, "The feed has no pull: its set is pushed, so that there is nothing to fetch.");
        }
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await using FetchedBody body = await bodies.FetchAsync(feed, null, both.Token);
            ParseResult parsed = await FeedParser.ParseAsync(body.Rewind(), FeedBodies.Settings(feed), both.Token);
            IReadOnlyList<string> problems = parsed.Unusable is null || parsed.Problems.Contains(parsed.Unusable) ? parsed.Problems : [parsed.Unusable, .. parsed.Problems];
            return new FeedPreview(body.Status, body.Bytes, pull.Format.Name, parsed.Accepted, parsed.Cleaned, parsed.Skipped, parsed.Refused,
                parsed.Samples, parsed.Refusals, problems, parsed.Columns);
        }
        catch (FetchException e)
        {
            return Nothing(pull.Format.Name, e.Status, e.Message);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return Nothing(pull.Format.Name, null, $"{pull.Url.Authority} took longer than {Limit.TotalSeconds:0} s, the limit of a preview. A pull has more time.");
        }
    }

    private static FeedPreview Nothing(string format, int? status, string problem) =>
        new(status, 0, format, 0, new Dictionary<string, long>(), 0, new Dictionary<string, long>(), [], [], [problem], []);
}
