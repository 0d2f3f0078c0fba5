using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Alerts;

internal static partial class AlertsLog
{
    [LoggerMessage(EventIds.Alerts + 1, LogLevel.Error, "{Count} records that hit and cannot become alerts, or cannot be searched whole, were set aside; searching goes on. The first, of {Source} at {Segment}/{Ordinal}: {Reason}")]
    public static partial void SetAside(ILogger logger, long count, string source, long segment, long ordinal, string reason);

    [LoggerMessage(EventIds.Alerts + 2, LogLevel.Warning, "The database refuses one of {Count} hits; they are written in parts")]
    public static partial void Halving(ILogger logger, int count, Exception exception);
}
