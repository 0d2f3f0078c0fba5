using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ThreatFeeds.Pulling;

/// <summary>Adds pulling.</summary>
public static class PullingRegistration
{
    /// <param name="options">Valid ones.</param>
    /// <param name="dataDirectory">Bodies lie in its folder <c>pulling</c> while they are read.</param>
    public static IServiceCollection AddPulling(this IServiceCollection services, PullingOptions options, string dataDirectory)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        services.AddSingleton(s => new FeedFetcher(options, dataDirectory, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<FeedFetcher>>()));
        services.AddSingleton<FetchTurns>();
        services.AddSingleton<HeaderSources>();
        services.AddSingleton<FeedBodies>();
        services.AddSingleton<PullOutcomes>();
        services.AddSingleton<PullFeed>();
        services.AddSingleton<FeedPreviewer>();
        services.AddHostedService<SpoolStart>();
        return services;
    }
}

/// <summary>Has the fetcher made at start, because that sweeps the spool; the first pull may be hours away.</summary>
internal sealed class SpoolStart(FeedFetcher fetcher) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        GC.KeepAlive(fetcher);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
