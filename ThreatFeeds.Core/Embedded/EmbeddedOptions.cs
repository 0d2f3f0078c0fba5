namespace ThreatFeeds.Embedded;

/// <summary>Where and how the embedded store keeps records.</summary>
/// <param name="DataFolder">The data folder (<c>Data:Directory</c>); records go to its sub-folder <c>logs</c>.</param>
public sealed record EmbeddedOptions(string DataFolder)
{
    /// <summary>Size in bytes at which a new segment begins; also the step in which a size limit deletes. Default 256 MB.</summary>
    public long SegmentBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of records above which the store says that it is overfull (<see cref="Logs.ILogStore.Overfull"/>). Null: never.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Bytes of batches that may wait to be written; more are refused as busy, but one alone never is. Default 256 MB.</summary>
    public long WaitingBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of idempotency keys remembered for each kind, of the newest records; default 64 MB, about 300,000 keys of 50 characters.</summary>
    public long KeyBytes { get; init; } = 64L << 20;

    /// <summary>The host holds the data folder already; the store then does not lock it itself.</summary>
    public bool FolderHeld { get; init; }

    /// <summary>The file whose lock keeps every other process, of whatever version, out of the data folder.</summary>
    public static string LockFile(string dataFolder) => Path.Combine(dataFolder, "logs", "lock");
}
