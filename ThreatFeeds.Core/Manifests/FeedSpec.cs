using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Manifests;

/// <summary>A validated feed with the original's defaults filled in: what the other rooms work with.</summary>
/// <param name="Uid">Identity: a feed deleted and made again has another.</param>
/// <param name="Generation">metadata.generation.</param>
public sealed record Feed(
    string Name, Guid Uid, long Generation, FeedSpec Spec,
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations)
{
    /// <summary>Annotation <c>threatfeeds.io/match-subdomains: "true"</c>.</summary>
    public bool MatchSubdomains => Annotations.TryGetValue(FeedAnnotations.MatchSubdomains, out string? v) && v == "true";

    /// <summary>Annotation <c>threatfeeds.io/urls: host</c>.</summary>
    public bool UrlsAsHosts => Annotations.TryGetValue(FeedAnnotations.Urls, out string? v) && v == "host";
}

/// <summary>Annotations that go past the original.</summary>
public static class FeedAnnotations
{
    public const string MatchSubdomains = "threatfeeds.io/match-subdomains";
    public const string Urls = "threatfeeds.io/urls";
    public const string Accept = "threatfeeds.io/accept";
    public const string MinShare = "threatfeeds.io/min-share";
}

/// <summary>The original's GlobalThreatFeedSpec.</summary>
/// <param name="Enabled">spec.mode; default Enabled.</param>
/// <param name="Builtin">spec.feedType; default Custom.</param>
/// <param name="GlobalNetworkSetLabels">spec.globalNetworkSet.labels; null without the stanza.</param>
/// <param name="Pull">Null for a push feed.</param>
public sealed record FeedSpec(
    ContentKind Content, bool Enabled, string? Description, bool Builtin,
    IReadOnlyDictionary<string, string>? GlobalNetworkSetLabels, PullSpec? Pull);

/// <param name="Period">At least 5 minutes; default 24 hours.</param>
public sealed record PullSpec(TimeSpan Period, Uri Url, FeedFormat Format, IReadOnlyList<HeaderSpec> Headers);

/// <summary>How a body is read: one of three.</summary>
public abstract record FeedFormat
{
    private FeedFormat() { }

    /// <summary>The original's member name: newlineDelimited, json or csv.</summary>
    public abstract string Name { get; }

    /// <summary>The default.</summary>
    public sealed record NewlineDelimited : FeedFormat
    {
        public override string Name => "newlineDelimited";
    }

    /// <param name="Path">JSONPath (RFC 9535 without filters and functions; <c>$.</c> is the root).</param>
    public sealed record Json(string Path) : FeedFormat
    {
        public override string Name => "json";
    }

    /// <param name="FieldNum">Zero-based column; exactly one of this and <paramref name="FieldName"/>.</param>
    /// <param name="RecordSize">Columns expected; null takes it from the first record.</param>
    public sealed record Csv(int? FieldNum, string? FieldName, bool Header, char Delimiter, char? Comment, int? RecordSize, bool DisableRecordSizeValidation) : FeedFormat
    {
        public override string Name => "csv";
    }
}

/// <param name="Value">A literal; null when <paramref name="From"/> is set.</param>
public sealed record HeaderSpec(string Name, string? Value, HeaderReference? From);

/// <param name="Secret">True for secretKeyRef, false for configMapKeyRef.</param>
public sealed record HeaderReference(bool Secret, string Name, string Key, bool Optional);

/// <summary>One thing wrong with a manifest.</summary>
/// <param name="Path">JSON path such as <c>spec.pull.http.headers[0].name</c>; empty for the manifest as a whole.</param>
/// <param name="Reason">Kubernetes' cause: FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueForbidden, FieldValueTooLong...</param>
public sealed record FeedProblem(string Path, string Reason, string Message)
{
    /// <summary>As people read it in a line.</summary>
    public override string ToString() => Path.Length == 0 ? Message : $"{Path}: {Message}";
}
