using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Api.Hosting;

internal static partial class HostingLog
{
    [LoggerMessage(EventIds.Api, LogLevel.Error, "{Method} {Path} failed with {Status}.")]
    public static partial void RequestFailed(ILogger logger, string method, string path, int status, Exception exception);

    [LoggerMessage(EventIds.Api + 1, LogLevel.Information, "Data are kept in {Directory}; the database is {Provider}.")]
    public static partial void Starting(ILogger logger, string directory, string provider);

    [LoggerMessage(EventIds.Api + 2, LogLevel.Warning, "Listening beyond this machine without a login, because Http:AllowOpen is true.")]
    public static partial void Open(ILogger logger);

    [LoggerMessage(EventIds.Api + 3, LogLevel.Warning, "{Method} {Path} was told to come again: the calls under way hold all the bytes that {Setting} allows.")]
    public static partial void BudgetFull(ILogger logger, string method, string path, string setting);

    [LoggerMessage(EventIds.Api + 4, LogLevel.Debug, "{Method} {Path} was broken off by its sender.")]
    public static partial void BodyBrokenOff(ILogger logger, string method, string path);
}
