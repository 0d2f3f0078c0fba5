using System.Text;
using System.Text.Json;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Pulling;

/// <param name="Withheld">Why headers are not sent, each in sentences that name it and its Secret or ConfigMap.</param>
public sealed record RequestHeaders(IReadOnlyList<KeyValuePair<string, string>> Sent, IReadOnlyList<string> Withheld);

/// <summary>Values of request headers, taken from the manifest or from Secrets and ConfigMaps of the namespace the original reads.</summary>
public sealed class HeaderSources(HeaderOwners owners)
{
    public const string Namespace = HeaderOwners.Namespace;

    /// <summary>
    /// The headers to send. An optional one whose source is missing is left out; any other missing source, and one that belongs to another feed, is a
    /// <see cref="FetchException"/> naming it.
    /// </summary>
    /// <param name="withhold">Why nothing of a Secret or ConfigMap may be sent, as a sentence; null when it may.</param>
    public async Task<RequestHeaders> ResolveAsync(Feed feed, string? withhold, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        var headers = new List<KeyValuePair<string, string>>();
        var withheld = new List<string>();
        foreach (HeaderSpec header in FeedBodies.PullOf(feed).Headers)
        {
            // New manifests cannot have one; kept from an older release it names itself.
            if (HeaderValidator.Refusal(header.Name) is { } refusal)
            {
                throw new FetchException($"Of the feed's headers {refusal}. Take it out of the manifest.");
            }
            if (header.From is { } source && withhold is not null)
            {
                withheld.Add($"The header {header.Name} was not sent, since its value stands in the {Kind(source)} {source.Name}. {withhold}");
                continue;
            }
            string? value = header.From is null ? header.Value ?? "" : await ReadAsync(feed, header.Name, header.From, cancellationToken);
            if (value is null)
            {
                continue;
            }
            // The value itself is never named: it may be a secret.
            if (value.Any(c => c is '\r' or '\n' or '\0'))
            {
                throw new FetchException($"The value of header {header.Name} holds a line break, which no header may.");
            }
            headers.Add(new(header.Name, value));
        }
        return new RequestHeaders(headers, withheld);
    }

    private async Task<string?> ReadAsync(Feed feed, string header, HeaderReference from, CancellationToken cancellationToken)
    {
        string kind = Kind(from);
        (string? document, string? refusal) = await owners.UseAsync(feed.Name, FeedBodies.PullOf(feed).Url, from, cancellationToken);
        if (refusal is not null)
        {
            throw new FetchException($"Header {header}: {kind} {Namespace}/{from.Name} {refusal}.") { HeaderSourceMissing = true };
        }
        string? value = document is null ? null : Value(document, from);
        if (value is null && !from.Optional)
        {
            string what = document is null ? $"{kind} {Namespace}/{from.Name} does not exist" : $"{kind} {Namespace}/{from.Name} has no key '{from.Key}'";
            throw new FetchException($"Header {header}: {what} (key '{from.Key}'). Create it, or mark the reference as optional.") { HeaderSourceMissing = true };
        }
        return value;
    }

    private static string Kind(HeaderReference from) => from.Secret ? "Secret" : "ConfigMap";

    private static string? Value(string document, HeaderReference from)
    {
        using JsonDocument json = JsonDocument.Parse(document);
        if (Find(json.RootElement, from.Secret ? "stringData" : "data", from.Key) is { } text)
        {
            return text;
        }
        if (Find(json.RootElement, from.Secret ? "data" : "binaryData", from.Key) is not { } encoded)
        {
            return null;
        }
        byte[] bytes = new byte[encoded.Length];
        return Convert.TryFromBase64String(encoded, bytes, out int length)
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw new FetchException($"The key '{from.Key}' of {from.Name} is not base64.");
    }

    private static string? Find(JsonElement document, string part, string key) =>
        document.ValueKind == JsonValueKind.Object && document.TryGetProperty(part, out JsonElement data) && data.ValueKind == JsonValueKind.Object
        && data.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
