using ThreatFeeds.Api.Hosting;

namespace ThreatFeeds.Api.Demo;

/// <summary>The demo: nothing of it is there without <c>--demo</c>.</summary>
internal static class DemoRegistration
{
    public static IServiceCollection AddDemo(this IServiceCollection services, Settings settings) =>
        settings.Hosting.Demo ? services.AddHostedService<DemoLoader>() : services;

    /// <summary>The sample feeds, served by the process itself so that they are pulled as any other feed is.</summary>
    public static void MapDemo(this IEndpointRouteBuilder app, Settings settings)
    {
        if (!settings.Hosting.Demo)
        {
            return;
        }
        app.MapGet("/samples/feeds/{name}", (string name) =>
        {
            // Only names that are in the folder's own list: a path cannot lead out of it.
            string? file = Directory.GetFiles(Path.Combine(SampleFiles.Root, "feeds")).FirstOrDefault(f => Path.GetFileName(f) == name);
            return file is null
                ? Problems.Problem(StatusCodes.Status404NotFound, "not-found", "Not found", "There is no sample feed of that name.")
                : TypedResults.PhysicalFile(file, "text/plain; charset=utf-8");
        }).ExcludeFromDescription();
    }
}
