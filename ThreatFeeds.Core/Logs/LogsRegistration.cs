using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Logs;

/// <summary>Readers and ingestion. The log store itself comes from an adapter.</summary>
public static class LogsRegistration
{
    public static IServiceCollection AddLogs(this IServiceCollection services)
    {
        services.AddSingleton<ILogReader, CalicoReader>();
        services.AddSingleton<LogReaders>();
        services.AddSingleton<LogIngestion>();
        return services;
    }
}
