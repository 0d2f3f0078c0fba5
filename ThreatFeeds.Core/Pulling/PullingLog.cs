using System.Net;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Pulling;

internal static partial class PullingLog
{
    [LoggerMessage(EventIds.Pulling + 1, LogLevel.Information, "Feed {Feed} was pulled: {Count} indicators, {Added} added, {Removed} removed")]
    public static partial void Replaced(ILogger logger, string feed, int count, long added, long removed);

    [LoggerMessage(EventIds.Pulling + 2, LogLevel.Information, "Feed {Feed} was pulled: unchanged")]
    public static partial void Unchanged(ILogger logger, string feed);

    [LoggerMessage(EventIds.Pulling + 3, LogLevel.Warning, "Feed {Feed} keeps its last good set: {Reason}")]
    public static partial void Kept(ILogger logger, string feed, string reason);

    [LoggerMessage(EventIds.Pulling + 4, LogLevel.Warning, "Feed {Feed} could not be pulled: {Reason}")]
    public static partial void Failed(ILogger logger, string feed, string reason);

    [LoggerMessage(EventIds.Pulling + 5, LogLevel.Error, "The pull of feed {Feed} broke")]
    public static partial void Broke(ILogger logger, string feed, Exception error);

    [LoggerMessage(EventIds.Pulling + 6, LogLevel.Warning, "{Host} was not connected to: its address {Address} is {Reason}")]
    public static partial void AddressRefused(ILogger logger, string host, IPAddress address, string reason);
}
