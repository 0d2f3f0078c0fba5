using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Manifests;

/// <summary>Fills the original's defaults in. What the rules would refuse becomes its default, so that old objects still work as far as they can.</summary>
internal static class FeedBuilder
{
    public static readonly TimeSpan DefaultPeriod = TimeSpan.FromHours(24);

    /// <summary>The same as a manifest writes it.</summary>
    public const string DefaultPeriodText = "24h";

    public static readonly TimeSpan MinPeriod = TimeSpan.FromMinutes(5);

    public static Feed Build(FeedDraft draft, Guid uid, long generation)
    {
        SpecDraft spec = draft.Spec ?? new SpecDraft(null, null, null, null, null, null);
        var content = spec.Content == nameof(ContentKind.DomainNameSet) ? ContentKind.DomainNameSet : ContentKind.IPSet;
        PullSpec? pull = Pull(spec.Pull);
        bool networkSet = content == ContentKind.IPSet && pull is not null;
        return new Feed(draft.Metadata.Name ?? "", uid, generation,
            new FeedSpec(content, spec.Mode != "Disabled", spec.Description, spec.FeedType == "Builtin",
                networkSet ? spec.GlobalNetworkSet?.Labels : null, pull),
            draft.Metadata.Labels, draft.Metadata.Annotations);
    }

    private static PullSpec? Pull(PullDraft? pull)
    {
        if (pull?.Http?.Url is null || FeedUrl.Problem(pull.Http.Url) is not null)
        {
            return null;
        }
        TimeSpan period = pull.Period is { } text && GoDuration.TryParse(text, out long nanoseconds, out _) && nanoseconds >= MinPeriod.Ticks * 100
            ? TimeSpan.FromTicks(nanoseconds / 100)
            : DefaultPeriod;
        return new PullSpec(period, new Uri(pull.Http.Url), Format(pull.Http.Format), [.. pull.Http.Headers.Select(Header).OfType<HeaderSpec>()]);
    }

    private static FeedFormat Format(FormatDraft? format)
    {
        if (format is { Json: { Path: { } path } })
        {
            return new FeedFormat.Json(path);
        }
        if (format is not { Csv: { } csv })
        {
            return new FeedFormat.NewlineDelimited();
        }
        string? name = string.IsNullOrEmpty(csv.FieldName) ? null : csv.FieldName;
        int? number = name is null ? (int)Math.Clamp(csv.FieldNum ?? 0, 0, int.MaxValue) : null;
        int? size = csv.RecordSize is > 0 and <= int.MaxValue && !csv.DisableRecordSizeValidation ? (int)csv.RecordSize : null;
        return new FeedFormat.Csv(number, name, csv.Header, string.IsNullOrEmpty(csv.ColumnDelimiter) ? ',' : csv.ColumnDelimiter[0],
            string.IsNullOrEmpty(csv.CommentDelimiter) ? null : csv.CommentDelimiter[0], size, csv.DisableRecordSizeValidation);
    }

    private static HeaderSpec? Header(HeaderDraft header)
    {
        if (header.Name is null)
        {
            return null;
        }
        if (header.ValueFrom is not { } from)
        {
            return new HeaderSpec(header.Name, header.Value ?? "", null);
        }
        KeyRefDraft? reference = from.SecretKeyRef ?? from.ConfigMapKeyRef;
        return reference is null
            ? null
            : new HeaderSpec(header.Name, null,
                new HeaderReference(from.SecretKeyRef is not null, reference.Name ?? "", reference.Key ?? "", reference.Optional));
    }
}

/// <summary>Which URLs a feed may have.</summary>
internal static class FeedUrl
{
    /// <summary>Null when nothing is wrong.</summary>
    public static string? Problem(string url)
    {
        if (!url.StartsWith("http://", StringComparison.Ordinal) && !url.StartsWith("https://", StringComparison.Ordinal))
        {
            return $"Invalid value: \"{url}\": spec.pull.http.url in body should match '^https?://'";
        }
        if (url.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            return "Invalid value: a URL holds no white space";
        }
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0)
        {
            return $"Invalid value: \"{url}\": not a URL";
        }
        // The URL is not repeated: it holds a password.
        return uri.UserInfo.Length > 0 || url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2).IndexOf('@') is var at and >= 0
                && !url.AsSpan(url.IndexOf("//", StringComparison.Ordinal) + 2)[..at].ContainsAny('/', '?', '#')
            ? "Invalid value: user info in a URL is refused; use a header whose value comes from a Secret"
            : null;
    }
}
