using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Api.Demo;

internal static partial class DemoLog
{
    [LoggerMessage(EventIds.Api + 50, LogLevel.Information, "The demo's feeds and logs are in; open {Address} in a browser.")]
    public static partial void Loaded(ILogger logger, Uri address);

    [LoggerMessage(EventIds.Api + 51, LogLevel.Warning, "The demo's newest records could not be stored; they come with the next ones.")]
    public static partial void StepFailed(ILogger logger, Exception exception);
}
