namespace ThreatFeeds.Api.Hosting;

/// <summary>How errors look below a path where clients of another system call, who know its shape only. Elsewhere they are problem details.</summary>
/// <param name="Path">Such as <c>/apis</c>.</param>
internal sealed record ErrorShape(PathString Path, Func<ProblemResult, IResult> Of)
{
    /// <summary>Answers with the problem as clients of the path called know it.</summary>
    public static Task AnswerAsync(HttpContext context, ProblemResult problem) =>
        (context.RequestServices.GetServices<ErrorShape>().FirstOrDefault(s => context.Request.Path.StartsWithSegments(s.Path, StringComparison.OrdinalIgnoreCase))?.Of(problem) ?? problem)
            .ExecuteAsync(context);

    /// <summary>Gives an answer to every error of the framework that has none: a path or method nobody knows, a body refused before any call of ours saw it.</summary>
    public static void Use(IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        await next(context);
        HttpResponse response = context.Response;
        if (response is { HasStarted: false, StatusCode: >= 400, ContentLength: null or 0 })
        {
            response.ContentLength = null;
            await AnswerAsync(context, Problems.OfStatus(response.StatusCode));
        }
    });
}
