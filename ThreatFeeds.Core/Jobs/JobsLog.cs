using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Jobs;

internal static partial class JobsLog
{
    [LoggerMessage(EventIds.Jobs + 1, LogLevel.Information, "Jobs begin; {Count} feeds had a run left over")]
    public static partial void Started(ILogger logger, int count);

    [LoggerMessage(EventIds.Jobs + 2, LogLevel.Warning, "The lease of run {Run} of feed {Feed} was lost; whoever has it now does the run")]
    public static partial void LeaseLost(ILogger logger, string feed, long run);

    [LoggerMessage(EventIds.Jobs + 3, LogLevel.Warning, "A job could not be made; the sweep finds what is queued within seconds")]
    public static partial void NotWoken(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Jobs + 4, LogLevel.Error, "A part of retention failed; it is tried again at its next time")]
    public static partial void RetentionFailed(ILogger logger, Exception error);

    [LoggerMessage(EventIds.Jobs + 7, LogLevel.Warning, "What recurs could not be scheduled; it is tried again")]
    public static partial void NotScheduled(ILogger logger, Exception problem);

    [LoggerMessage(EventIds.Jobs + 6, LogLevel.Warning, "Run {Run} of feed {Feed} is done again: the database was away")]
    public static partial void GivenBack(ILogger logger, string feed, long run);

    [LoggerMessage(EventIds.Jobs + 5, LogLevel.Information, "Retention deleted {Records} records, {Alerts} alerts and {Sets} stored sets")]
    public static partial void Retained(ILogger logger, long records, long alerts, long sets);
}
