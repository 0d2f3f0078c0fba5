using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ThreatFeeds.Resources;

/// <summary>Adds the store of Kubernetes-shaped objects.</summary>
public static class ResourcesRegistration
{
    public static IServiceCollection AddResources(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<ResourceStore>().AddSingleton<ResourceChangeLog>();
    }
}
