using Microsoft.Extensions.Logging;
using ThreatFeeds.Sets;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Web.Shared;

/// <summary>
/// The one place where an exception becomes words for people: what could not be done and that it may be tried again. What the exception says is for whoever
/// reads the log; it may name tables, files or other people's servers.
/// </summary>
public sealed class Failures(Toasts toasts, ILogger<Failures> logger)
{
    /// <param name="what">What could not be done, as the beginning of a sentence that "failed" ends: "Showing the alerts".</param>
    public string Say(string what, Exception problem)
    {
        FailuresLog.Failed(logger, what, problem);
        // The one exception that is written for people: it names the feed and the way out.
        return problem is DamagedSetException ? problem.Message
            : "The server could not do this now. Try again in a moment; if it stays so, its log has the reason.";
    }

    /// <summary>Does it, or says that it could not; never throws.</summary>
    /// <param name="what">As above.</param>
    /// <param name="undone">What is told when it failed, such as "Nothing was changed".</param>
    /// <param name="gone">The page was left: nobody is there to be told.</param>
    public async Task TryAsync(string what, string undone, Func<Task> act, CancellationToken gone)
    {
        try
        {
            await act();
        }
        catch (Exception) when (gone.IsCancellationRequested)
        {
            // Left.
        }
        catch (Exception problem)
        {
            toasts.Failed($"{undone}. {Say(what, problem)}");
        }
    }
}

internal static partial class FailuresLog
{
    [LoggerMessage(EventIds.Web, LogLevel.Error, "{What} failed in the console.")]
    public static partial void Failed(ILogger logger, string what, Exception exception);
}
