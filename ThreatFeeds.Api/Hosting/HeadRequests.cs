namespace ThreatFeeds.Api.Hosting;

/// <summary>HEAD is answered as GET wherever there is a GET: its route is found as one, and the server, which goes by what the client sent, leaves the body out.</summary>
internal static class HeadRequests
{
    /// <summary>Must stand before routing.</summary>
    public static void UseHeadAsGet(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Method = HttpMethods.Get;
        }
        return next(context);
    });
}
