using Hangfire;
using Hangfire.InMemory;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Jobs;

/// <summary>How jobs run.</summary>
/// <param name="ConnectionString">Of the PostgreSQL database that holds the jobs; null keeps them in memory.</param>
/// <param name="ShutdownTime">How long jobs under way may take to stop when the process is told to.</param>
public sealed record JobOptions(string? ConnectionString, TimeSpan ShutdownTime);

/// <summary>Adds jobs: when runs, searches and retention happen.</summary>
public static class JobsRegistration
{
    public static IServiceCollection AddJobs(this IServiceCollection services, JobOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(_ => Storage(options));
        services.AddSingleton<JobActivator, ServiceJobActivator>();
        services.AddSingleton<PullJob>().AddSingleton<DispatchJob>().AddSingleton<SweepJob>().AddSingleton<LookBackJob>().AddSingleton<RetentionJob>().AddSingleton<CompactionJob>();
        services.AddSingleton<ForwardProcess>();
        services.AddSingleton<JobPlan>();
        services.AddSingleton<JobWakeups>();
        services.AddHostedService<JobServers>();
        return services;
    }

    private static JobStorage Storage(JobOptions options)
    {
        if (options.ConnectionString is not { } connection)
        {
            return new InMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = TimeSpan.FromHours(1) });
        }
        var storage = new PostgreSqlStorageOptions
        {
            // A job longer than the invisibility is fetched again only when its owner has died.
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = TimeSpan.FromSeconds(30),
            QueuePollInterval = TimeSpan.FromSeconds(5),
            // Its locks are rows that a killed owner leaves: dispatch and sweep would not recur for the ten minutes that these count by default. Two that have one do a thing twice.
            DistributedLockTimeout = TimeSpan.FromSeconds(15),
        };
        return new PostgreSqlStorage(new NpgsqlConnectionFactory(connection, storage), storage);
    }
}

/// <summary>Makes job classes from the process's services; all of them are singletons.</summary>
internal sealed class ServiceJobActivator(IServiceProvider services) : JobActivator
{
    public override object ActivateJob(Type jobType) => services.GetRequiredService(jobType);
}
