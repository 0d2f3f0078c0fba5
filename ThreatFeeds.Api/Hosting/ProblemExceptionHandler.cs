using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Hosting;

/// <summary>The last resort for whatever an endpoint throws.</summary>
internal sealed class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    internal const int RetryAfterSeconds = 5;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
        {
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }
        ProblemResult problem = Problems.Describe(exception);
        if (exception is BudgetFullException { Never: false } full)
        {
            // As often as somebody sends or asks for too much: a line each, without where it came from.
            HostingLog.BudgetFull(logger, VisibleText.Of(httpContext.Request.Method, VisibleText.Quoted), VisibleText.Of(httpContext.Request.Path, VisibleText.Message), full.Setting);
        }
        else if (exception is BodyBrokenOffException)
        {
            // The client's own doing, as often as it likes.
            HostingLog.BodyBrokenOff(logger, VisibleText.Of(httpContext.Request.Method, VisibleText.Quoted), VisibleText.Of(httpContext.Request.Path, VisibleText.Message));
        }
        else if (problem.Status >= 500)
        {
            HostingLog.RequestFailed(logger, VisibleText.Of(httpContext.Request.Method, VisibleText.Quoted), VisibleText.Of(httpContext.Request.Path, VisibleText.Message), problem.Status, exception);
        }
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            // A store that is only busy writes what waits within a moment.
            int seconds = exception is LogStoreException { Busy: true } ? 1 : RetryAfterSeconds;
            httpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        if (exception is BodyTooSlowException)
        {
            // There is no waiting for the rest of it.
            httpContext.Response.Headers.Connection = "close";
        }
        await ErrorShape.AnswerAsync(httpContext, problem);
        return true;
    }
}
