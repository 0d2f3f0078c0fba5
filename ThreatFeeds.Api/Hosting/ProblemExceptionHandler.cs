using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Api.Hosting;

/// <summary>How errors look below a path where clients of another system call, who know its shape only. Elsewhere they are problem details.</summary>
/// <param name="Path">Such as <c>/apis</c>.</param>
internal sealed record ErrorShape(PathString Path, Func<ProblemResult, IResult> Of);

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
        if (problem.Status >= 500)
        {
            HostingLog.RequestFailed(logger, httpContext.Request.Method, httpContext.Request.Path, problem.Status, exception);
        }
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            // A store that is only busy writes what waits within a moment.
            int seconds = exception is LogStoreException { Busy: true } ? 1 : RetryAfterSeconds;
            httpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        await ShapedFor(httpContext, problem).ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>The problem as clients of the path called know it.</summary>
    internal static IResult ShapedFor(HttpContext context, ProblemResult problem) =>
        context.RequestServices.GetServices<ErrorShape>().FirstOrDefault(s => context.Request.Path.StartsWithSegments(s.Path, StringComparison.OrdinalIgnoreCase))?.Of(problem) ?? problem;
}
