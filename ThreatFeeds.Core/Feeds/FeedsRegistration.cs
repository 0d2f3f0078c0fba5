using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Feeds;

/// <summary>Adds reading, validating and listing feeds.</summary>
public static class FeedsRegistration
{
    /// <param name="jsonPathProblem">Says what is wrong with a JSONPath, null when nothing is. Parsing knows; it is a later room, so the caller brings it.</param>
    public static IServiceCollection AddFeeds(this IServiceCollection services, Func<string, string?> jsonPathProblem) => services
        .AddSingleton(new FeedReader(jsonPathProblem))
        .AddSingleton<FeedCatalog>()
        .AddSingleton<FeedStatusWriter>();
}
