using System.Globalization;
using ThreatFeeds.Feeds;
using ThreatFeeds.Parsing;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Pulling;

/// <summary>A feed's body: where it comes from and how it is read.</summary>
public sealed class FeedBodies(FeedFetcher fetcher, HeaderSources headers)
{
    /// <summary>Names URL, format and fields: sets of one origin can be compared with each other.</summary>
    public static string Origin(Feed feed)
    {
        ArgumentNullException.ThrowIfNull(feed);
        PullSpec pull = PullOf(feed);
        string format = pull.Format switch
        {
            FeedFormat.Json json => $"json {json.Path}",
            FeedFormat.Csv csv => string.Create(CultureInfo.InvariantCulture,
                $"csv {csv.FieldNum?.ToString(CultureInfo.InvariantCulture) ?? csv.FieldName} header={csv.Header} delimiter={csv.Delimiter} comment={csv.Comment} size={csv.RecordSize} unchecked={csv.DisableRecordSizeValidation}"),
            _ => pull.Format.Name,
        };
        return $"{pull.Url.AbsoluteUri} {feed.Spec.Content} {format}{(feed.UrlsAsHosts ? " urls=host" : "")}";
    }

    public static ParseSettings Settings(Feed feed)
    {
        ArgumentNullException.ThrowIfNull(feed);
        return new ParseSettings(feed.Spec.Content, PullOf(feed).Format, feed.UrlsAsHosts);
    }

    /// <summary>Fetches the body. When the set held came from the same origin, the server may answer that nothing changed.</summary>
    public async Task<FetchedBody> FetchAsync(Feed feed, StoredSetRow? current, CancellationToken cancellationToken)
    {
        PullSpec pull = PullOf(feed);
        bool comparable = current is not null && current.Origin == Origin(feed);
        var request = new FetchRequest(pull.Url, await headers.ResolveAsync(pull, cancellationToken),
            comparable ? current!.ETag : null, comparable ? current!.LastModified : null);
        return await fetcher.FetchAsync(request, cancellationToken);
    }

    internal static PullSpec PullOf(Feed feed) =>
        feed.Spec.Pull ?? throw new ArgumentException($"The feed {feed.Name} has no pull: its set is pushed.", nameof(feed));
}
