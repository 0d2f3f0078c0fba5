using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Sets;

/// <summary>Adds stored sets.</summary>
public static class SetsRegistration
{
    public static IServiceCollection AddSets(this IServiceCollection services) => services
        .AddSingleton<StoredSets>()
        .AddSingleton<SetSweeper>();
}
