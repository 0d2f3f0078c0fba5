using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Pushing;

/// <summary>Adds pushing.</summary>
public static class PushingRegistration
{
    public static IServiceCollection AddPushing(this IServiceCollection services) => services
        .AddSingleton<PushedDocuments>()
        .AddSingleton<PushOutcomes>()
        .AddSingleton<PushSet>()
        .AddHostedService<WaitingPushes>();
}
