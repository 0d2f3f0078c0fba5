using System.Globalization;

namespace ThreatFeeds.Manifests;

/// <summary>Where a feed's body comes from and how it is read.</summary>
public static class FeedOrigin
{
    /// <summary>Names URL, content, format and fields: sets of one origin can be compared with each other. Empty for a feed that is pushed.</summary>
    public static string Of(Feed feed)
    {
        if (feed.Spec.Pull is not { } pull)
        {
            return "";
        }
        string format = pull.Format switch
        {
            FeedFormat.Json json => $"json {json.Path}",
            FeedFormat.Csv csv => string.Create(CultureInfo.InvariantCulture,
                $"csv {csv.FieldNum?.ToString(CultureInfo.InvariantCulture) ?? csv.FieldName} header={csv.Header} delimiter={csv.Delimiter} comment={csv.Comment} size={csv.RecordSize} unchecked={csv.DisableRecordSizeValidation}"),
            _ => pull.Format.Name,
        };
        return $"{pull.Url.AbsoluteUri} {feed.Spec.Content} {format}{(feed.UrlsAsHosts ? " urls=host" : "")}";
    }

    /// <summary>Whether both URLs are of one origin (RFC 6454): scheme, host and port. What is meant for the one may then be sent to the other.</summary>
    public static bool IsSameServer(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a change asks for a pull at once: the feed is pulled, and it is new or enabled again, or what is fetched, sent or accepted is another.</summary>
    /// <param name="before">Null for a feed that was not there.</param>
    public static bool AsksForPull(Feed? before, Feed after) =>
        after.Spec is { Enabled: true, Pull: not null } && (before is not { Spec: { Enabled: true, Pull: not null } } || before.Uid != after.Uid || Wanted(before) != Wanted(after));

    private static string Wanted(Feed feed)
    {
        string headers = string.Join('\n', feed.Spec.Pull!.Headers.Select(h => $"{h.Name}: {h.Value}{h.From}"));
        feed.Annotations.TryGetValue(FeedAnnotations.Accept, out string? accept);
        feed.Annotations.TryGetValue(FeedAnnotations.MinShare, out string? share);
        return $"{Of(feed)}\n{accept}\n{share}\n{headers}";
    }
}
