using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Api.Demo;

internal static partial class DemoLog
{
    [LoggerMessage(EventIds.Api + 50, LogLevel.Information, "The demo's feeds and logs are in; open {Address} in a browser.")]
    public static partial void Loaded(ILogger logger, Uri address);
}
