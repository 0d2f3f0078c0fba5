using Microsoft.Net.Http.Headers;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// What keeps a web page of somebody else's from using the reader's browser against this process: the Host header must be ours
/// (no DNS rebinding), nothing that changes anything, nor a web socket, is taken from a foreign origin (no request forgery), and of what is only read nothing
/// but a page that a reader goes to by a link (no work for answers that the browser keeps from the page that asked).
/// </summary>
internal static class RequestGuards
{
    public static void UseRequestGuards(this IApplicationBuilder app, HttpOptions http) => app.Use(async (context, next) =>
    {
        string host = context.Request.Host.Host;
        if (!ListenAddresses.IsLoopback(host) && !IsAllowed(host, http))
        {
            await ErrorShape.AnswerAsync(context, new ProblemResult(StatusCodes.Status421MisdirectedRequest, "wrong-host", "Wrong host",
                "The Host header names a host this server does not answer for; add it to Http:AllowedHosts if it should."));
        }
        else if (!IsVisit(context.Request) && IsForeign(context.Request, http))
        {
            await ErrorShape.AnswerAsync(context, new ProblemResult(StatusCodes.Status403Forbidden, "foreign-origin", "Foreign origin",
                "The request comes from a page of another origin."));
        }
        else
        {
            await next(context);
        }
    });

    private static bool IsAllowed(string host, HttpOptions http) => http.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase)
        || http.AllowedHosts.Contains(host.Trim('[', ']'), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a reader goes to a page, by a link that may stand anywhere: to the console or the description of the API, to no call of it.</summary>
    private static bool IsVisit(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document"
        && !ApiPaths.Are(request.Path) && !request.Headers.Upgrade.Any(u => u?.Contains("websocket", StringComparison.OrdinalIgnoreCase) == true);

    private static bool IsForeign(HttpRequest request, HttpOptions http)
    {
        foreach (string? site in request.Headers["Sec-Fetch-Site"])
        {
            if (site is not ("same-origin" or "none"))
            {
                return true;
            }
        }
        // Clients that are not browsers send no Origin.
        return request.Headers[HeaderNames.Origin].Any(origin => !IsOwn(origin, request, http));
    }

    private static bool IsOwn(string? origin, HttpRequest request, HttpOptions http)
    {
        string? scheme = origin?.Split("://", 2) is [string s, string authority] && authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase) ? s : null;
        // Before an allowed host stands a proxy that may end TLS, so that its scheme is not ours.
        return scheme == request.Scheme || (scheme is "http" or "https" && IsAllowed(request.Host.Host, http));
    }
}
