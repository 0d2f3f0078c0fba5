using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Embedded;

internal static partial class EmbeddedLog
{
    [LoggerMessage(EventIds.Embedded, LogLevel.Warning, "{File}: {Bytes} bytes behind the last whole frame (at {Offset}) were cut off; they were never acknowledged")]
    public static partial void TailCut(ILogger logger, string file, long offset, long bytes);

    [LoggerMessage(EventIds.Embedded + 1, LogLevel.Error, "{File}: the frame at {Offset} is damaged; its {Records} records are passed over and count as deleted")]
    public static partial void FrameDamaged(ILogger logger, string file, long offset, int records);

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

    [LoggerMessage(EventIds.Embedded + 7, LogLevel.Warning, "Retention deleted {Records} records of {Source} that the forward search may not have passed, to stay under the size limit")]
    public static partial void DeletedForSize(ILogger logger, long records, string source);

    [LoggerMessage(EventIds.Embedded + 8, LogLevel.Information, "The log store in {Folder} is open: {Records} records in {Bytes} bytes")]
    public static partial void Opened(ILogger logger, string folder, long records, long bytes);
}
