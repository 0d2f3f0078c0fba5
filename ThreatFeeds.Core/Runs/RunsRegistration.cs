using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Runs;

/// <summary>Adds the queue of runs and their history.</summary>
public static class RunsRegistration
{
    /// <param name="dataDirectory">Holds the id by which this process knows its own runs again.</param>
    public static IServiceCollection AddRuns(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton(InstanceId.Of(dataDirectory))
        .AddSingleton<RunQueue>()
        .AddSingleton<RunHistory>();
}
