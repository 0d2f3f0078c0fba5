using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Sets;

/// <summary>Adds stored sets, what is listed, operators' changes and the history of runs.</summary>
public static class SetsRegistration
{
    public static IServiceCollection AddSets(this IServiceCollection services) => services
        .AddSingleton<Listings>()
        .AddSingleton<FeedChanges>()
        .AddSingleton<RunHistory>()
        .AddSingleton<SetFiles>()
        .AddSingleton<SetStore>()
        .AddSingleton<SetSweeper>();
}
