using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Storage;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Pulling;

/// <summary>A feed's body: where it comes from and how it is read. Whoever asks for one has a <see cref="FetchTurn"/>, which bounds the time of both and how many do so at once.</summary>
public sealed class FeedBodies(FeedFetcher fetcher, HeaderSources headers, PullingOptions options)
{
    /// <summary>Reads the body as the feed says.</summary>
    public Task<ParseResult> ParseAsync(FetchedBody body, Feed feed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(feed);
        var settings = new ParseSettings(feed.Spec.Content, PullOf(feed).Format, feed.UrlsAsHosts) { MaxIndicatorBytes = options.MaxIndicatorBytes };
        return Work.Parse.RunAsync(async span =>
        {
            span.Tell("feed", feed.Name);
            span.Tell("format", settings.Format.Name);
            span.Tell("bytes", body.Bytes);
            ParseResult parsed = await FeedParser.ParseAsync(body.Rewind(), settings, cancellationToken);
            span.Tell("accepted", parsed.Accepted);
            span.Tell("skipped", parsed.Skipped);
            span.Tell("refused", parsed.RefusedCount);
            return parsed;
        });
    }

    /// <summary>Fetches the body. When the set held came from the same URL and was read in the same way, the server may answer that nothing changed.</summary>
    public async Task<FetchedBody> FetchAsync(Feed feed, StoredSetRow? current, CancellationToken cancellationToken) =>
        await FetchAsync(feed, current, await headers.ResolveAsync(feed, null, cancellationToken), cancellationToken);

    /// <summary>The same with headers that are known.</summary>
    internal async Task<FetchedBody> FetchAsync(Feed feed, StoredSetRow? current, RequestHeaders sent, CancellationToken cancellationToken)
    {
        bool comparable = current is not null && current.Origin == FeedOrigin.Of(feed);
        var request = new FetchRequest(PullOf(feed).Url, sent.Sent, comparable ? current!.ETag : null, comparable ? current!.LastModified : null);
        return await fetcher.FetchAsync(request, cancellationToken);
    }

    internal static PullSpec PullOf(Feed feed) =>
        feed.Spec.Pull ?? throw new ArgumentException($"The feed {feed.Name} has no pull: its set is pushed.", nameof(feed));
}
