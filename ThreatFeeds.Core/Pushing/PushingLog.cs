using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Pushing;

internal static partial class PushingLog
{
    [LoggerMessage(EventIds.Pushing + 1, LogLevel.Information, "Feed {Feed} was pushed: {Count} indicators, {Added} added, {Removed} removed")]
    public static partial void Stored(ILogger logger, string feed, int count, long added, long removed);

    [LoggerMessage(EventIds.Pushing + 2, LogLevel.Information, "The document of feed {Feed} was deleted: its set is empty")]
    public static partial void Emptied(ILogger logger, string feed);

    [LoggerMessage(EventIds.Pushing + 3, LogLevel.Warning, "A push to feed {Feed} was refused: {Reason}")]
    public static partial void Refused(ILogger logger, string feed, string reason);

    [LoggerMessage(EventIds.Pushing + 4, LogLevel.Error, "Applying what waits for feed {Feed} failed; it is tried again within seconds")]
    public static partial void WaitingFailed(ILogger logger, string feed, Exception error);

    [LoggerMessage(EventIds.Pushing + 5, LogLevel.Error, "What waits for feeds could not be looked for; it is tried again within seconds")]
    public static partial void WaitingUnknown(ILogger logger, Exception error);
}
