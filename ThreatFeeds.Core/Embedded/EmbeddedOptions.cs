namespace ThreatFeeds.Embedded;

/// <summary>Where and how the embedded store keeps records.</summary>
/// <param name="DataFolder">The data folder (<c>Data:Directory</c>); records go to its sub-folder <c>logs</c>.</param>
public sealed record EmbeddedOptions(string DataFolder)
{
    /// <summary>Size in bytes at which a new segment begins; also the step in which a size limit deletes. Default 256 MB.</summary>
    public long SegmentBytes { get; init; } = 256L << 20;
}
