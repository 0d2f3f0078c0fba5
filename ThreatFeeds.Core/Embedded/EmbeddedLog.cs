using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Embedded;

internal static partial class EmbeddedLog
{
    [LoggerMessage(EventIds.Embedded, LogLevel.Warning, "{File}: {Bytes} bytes behind the last whole frame (at {Offset}) were cut off; they were never acknowledged")]
    public static partial void TailCut(ILogger logger, string file, long offset, long bytes);

    [LoggerMessage(EventIds.Embedded + 1, LogLevel.Error, "{File} is damaged; {Records} records, the first at {Ordinal}, are passed over and count as deleted")]
    public static partial void FramesDamaged(ILogger logger, string file, long records, long ordinal);

    [LoggerMessage(EventIds.Embedded + 2, LogLevel.Error, "{File} is damaged from {Offset} on; {Records} records are lost and count as deleted")]
    public static partial void SegmentDamaged(ILogger logger, string file, long offset, long records);

    [LoggerMessage(EventIds.Embedded + 3, LogLevel.Error, "{File} is missing; its {Records} records are lost and count as deleted")]
    public static partial void SegmentMissing(ILogger logger, string file, long records);

    [LoggerMessage(EventIds.Embedded + 4, LogLevel.Error, "Records could not be appended to {Source}")]
    public static partial void AppendFailed(ILogger logger, string source, Exception exception);

    [LoggerMessage(EventIds.Embedded + 5, LogLevel.Warning, "{File} could not be cut back after a failed write; a new segment begins")]
    public static partial void CutBackFailed(ILogger logger, string file, Exception exception);

    [LoggerMessage(EventIds.Embedded + 6, LogLevel.Error, "A handler of appended records failed")]
    public static partial void HandlerFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Embedded + 7, LogLevel.Information, "Retention deleted {Records} records of {Source} to stay under the size limit")]
    public static partial void DeletedForSize(ILogger logger, long records, string source);

    [LoggerMessage(EventIds.Embedded + 8, LogLevel.Information, "The log store in {Folder} is open: {Records} records in {Bytes} bytes")]
    public static partial void Opened(ILogger logger, string folder, long records, long bytes);

    [LoggerMessage(EventIds.Embedded + 9, LogLevel.Error, "Retention deleted {Records} records of {Source} that not every search had passed; they count as dropped")]
    public static partial void DeletedUnsearched(ILogger logger, long records, string source);

    [LoggerMessage(EventIds.Embedded + 10, LogLevel.Warning, "{Folder}: it cannot be noted how far records were acknowledged; damage that follows a crash may go unseen")]
    public static partial void NotNoted(ILogger logger, string folder, Exception exception);

    [LoggerMessage(EventIds.Embedded + 11, LogLevel.Error, "{File}: damage could not be written to the ledger; it is counted once it can be")]
    public static partial void DamageNotNoted(ILogger logger, string file, Exception exception);

    [LoggerMessage(EventIds.Embedded + 12, LogLevel.Warning, "{File} could not be sealed at the end; the next start does it")]
    public static partial void NotSealed(ILogger logger, string file, Exception exception);

    [LoggerMessage(EventIds.Embedded + 13, LogLevel.Error, "{Source}: the batch stored under an idempotency key cannot be read any more; one sent again under it is stored")]
    public static partial void KeyUnreadable(ILogger logger, string source, Exception exception);

    [LoggerMessage(EventIds.Embedded + 14, LogLevel.Error, "{File} cannot be read; its {Records} records wait until it can be, the store opens without them")]
    public static partial void LeftUnread(ILogger logger, string file, long records, Exception? exception);

    [LoggerMessage(EventIds.Embedded + 15, LogLevel.Error, "{File}: the disk has not given {Records} records, the first at {Ordinal}, for as long as they are waited for; they are passed over and count as deleted")]
    public static partial void GivenUp(ILogger logger, string file, long records, long ordinal, Exception? exception);
}
