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

    [LoggerMessage(EventIds.Searching + 9, LogLevel.Error, "Searching goes on without a feed. {Problem}")]
    public static partial void SetDamaged(ILogger logger, string problem);

    [LoggerMessage(EventIds.Searching + 8, LogLevel.Error, "The log store could not say which sources there are; it is asked again")]
    public static partial void SourcesUnknown(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Searching + 5, LogLevel.Warning, "The clock says {Now}, more than a day ahead of what it said last ({Seen}). Until that has lasted a day of running, at about {Until}, retention goes on from the old time; should the clock be wrong, set it right before then")]
    public static partial void ClockLeapt(ILogger logger, DateTimeOffset now, DateTimeOffset seen, DateTimeOffset until);

    [LoggerMessage(EventIds.Searching + 6, LogLevel.Warning, "The clock has said the same for a day since it leapt from {Seen}; retention goes by {Now} now")]
    public static partial void LeapBelieved(ILogger logger, DateTimeOffset seen, DateTimeOffset now);

    [LoggerMessage(EventIds.Searching + 7, LogLevel.Error, "Records could not be deleted to stay under Data:MaxBytes; it is tried again")]
    public static partial void NotShrunk(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Searching + 10, LogLevel.Warning, "How far searching is behind cannot be told; it is looked at again, and said once more when it fails anew")]
    public static partial void LagUnknown(ILogger logger, Exception exception);
}
