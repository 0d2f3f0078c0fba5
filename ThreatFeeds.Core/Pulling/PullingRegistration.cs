using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Pulling;

/// <summary>Adds pulling.</summary>
public static class PullingRegistration
{
    /// <param name="options">Section <c>Pulling</c>; wrong values throw, so that the process does not start with them.</param>
    /// <param name="dataDirectory">Bodies lie in its folder <c>pulling</c> while they are read.</param>
    public static IServiceCollection AddPulling(this IServiceCollection services, PullingOptions options, string dataDirectory)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problem() is { } problem)
        {
            throw new InvalidOperationException(problem);
        }
        services.AddSingleton(options);
        services.AddSingleton(s => new FeedFetcher(options, dataDirectory, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<HeaderSources>();
        services.AddSingleton<FeedBodies>();
        services.AddSingleton<PullOutcomes>();
        services.AddSingleton<PullFeed>();
        services.AddSingleton<FeedPreviewer>();
        return services;
    }
}
