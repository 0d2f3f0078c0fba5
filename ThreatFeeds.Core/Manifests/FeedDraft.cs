namespace ThreatFeeds.Manifests;

// A manifest as it was written: every member may be missing or wrong. The names are the manifest's, so that the path of a problem
// is the path of the property.

internal sealed record FeedDraft(MetadataDraft Metadata, SpecDraft? Spec);

internal sealed record MetadataDraft(
    string? Name, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations, string? ResourceVersion, string? Uid);

internal sealed record SpecDraft(string? Content, string? Mode, string? Description, string? FeedType, GlobalNetworkSetDraft? GlobalNetworkSet, PullDraft? Pull);

internal sealed record GlobalNetworkSetDraft(IReadOnlyDictionary<string, string> Labels);

internal sealed record PullDraft(string? Period, HttpDraft? Http);

internal sealed record HttpDraft(string? Url, FormatDraft? Format, IReadOnlyList<HeaderDraft> Headers)
{
    public const int MostHeaders = 100;

    public bool HasTooManyHeaders => Headers.Count > MostHeaders;
}

internal sealed record FormatDraft(bool NewlineDelimited, JsonDraft? Json, CsvDraft? Csv);

internal sealed record JsonDraft(string? Path);

internal sealed record CsvDraft(
    long? FieldNum, string? FieldName, bool Header, string? ColumnDelimiter, string? CommentDelimiter, long? RecordSize, bool DisableRecordSizeValidation);

/// <param name="FeedName">Of the feed the header belongs to: references must carry it in their names.</param>
internal sealed record HeaderDraft(string? Name, string? Value, ValueFromDraft? ValueFrom, string FeedName);

internal sealed record ValueFromDraft(KeyRefDraft? ConfigMapKeyRef, KeyRefDraft? SecretKeyRef);

internal sealed record KeyRefDraft(string? Name, string? Key, bool Optional, string FeedName);
