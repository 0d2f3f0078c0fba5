using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Scheduling;

internal static partial class SchedulingLog
{
    [LoggerMessage(EventIds.Scheduling + 1, LogLevel.Information, "Schedules follow the feeds; {Count} feeds had a pull left over")]
    public static partial void Started(ILogger logger, int count);

    [LoggerMessage(EventIds.Scheduling + 2, LogLevel.Error, "The schedule of feed {Feed} could not follow its change")]
    public static partial void FollowFailed(ILogger logger, string feed, Exception error);

    [LoggerMessage(EventIds.Scheduling + 3, LogLevel.Error, "The pull of feed {Feed} could not be begun; it is tried again in a minute")]
    public static partial void JobFailed(ILogger logger, string feed, Exception error);

    [LoggerMessage(EventIds.Scheduling + 4, LogLevel.Error, "Retention failed; it is tried again at its next time")]
    public static partial void RetentionFailed(ILogger logger, Exception error);
}
