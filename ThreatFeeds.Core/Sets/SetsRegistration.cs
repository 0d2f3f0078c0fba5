using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Sets;

/// <summary>Adds stored sets, the guard's room, feed changes and run history.</summary>
public static class SetsRegistration
{
    public static IServiceCollection AddSets(this IServiceCollection services) => services
        .AddSingleton<Listings>()
        .AddSingleton<SetFiles>()
        .AddSingleton<SetStore>()
        .AddSingleton<SetSweeper>();
}
