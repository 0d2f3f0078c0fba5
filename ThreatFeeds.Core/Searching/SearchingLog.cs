using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Searching;

internal static partial class SearchingLog
{
    [LoggerMessage(EventIds.Searching + 1, LogLevel.Error, "The {Search} search of {Source} failed; it is tried again from its mark")]
    public static partial void StepFailed(ILogger logger, string search, string source, Exception exception);

    [LoggerMessage(EventIds.Searching + 2, LogLevel.Warning, "The state of searching could not be written to the feeds")]
    public static partial void ConditionNotWritten(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Searching + 4, LogLevel.Error, "The newest indicators could not be loaded; searching goes on with those before and tries again")]
    public static partial void SnapshotFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Searching + 5, LogLevel.Error, "The log store could not say which sources there are; it is asked again")]
    public static partial void SourcesUnknown(ILogger logger, Exception exception);
}
