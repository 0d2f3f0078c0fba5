using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Feeds;

/// <summary>Adds feeds: reading, changing, their status and their figures.</summary>
public static class FeedsRegistration
{
    /// <param name="jsonPathProblem">Says what is wrong with a JSONPath, null when nothing is. Parsing knows; a manifest is read without it otherwise.</param>
    public static IServiceCollection AddFeeds(this IServiceCollection services, Func<string, string?> jsonPathProblem) => services
        .AddSingleton(new FeedReader(jsonPathProblem))
        .AddSingleton<FeedCatalog>()
        .AddSingleton<FeedStatusWriter>()
        .AddSingleton<HeaderOwners>()
        .AddSingleton<FeedChanges>()
        .AddSingleton<FeedOverviews>()
        .AddSingleton<FeedStatistics>();
}
