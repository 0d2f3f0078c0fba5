using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Alerts;

/// <summary>Adds alerts.</summary>
public static class AlertsRegistration
{
    public static IServiceCollection AddAlerts(this IServiceCollection services, AlertOptions options) => services
        .AddSingleton(options)
        .AddSingleton<HitWriter>()
        .AddSingleton<HitCommit>()
        .AddSingleton<AlertQueries>()
        .AddSingleton<AlertChanges>()
        .AddSingleton<AlertRetention>();
}
