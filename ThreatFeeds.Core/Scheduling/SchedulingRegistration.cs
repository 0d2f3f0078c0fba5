using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace ThreatFeeds.Scheduling;

/// <param name="RetainEvery">Between two retentions: an hour, or a minute when the size of the data is limited.</param>
public sealed record SchedulingOptions(TimeSpan RetainEvery)
{
    public static SchedulingOptions For(bool sizeLimited) => new(sizeLimited ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1));
}

/// <summary>Adds schedules. What must survive a restart lies in the runs; Quartz keeps nothing.</summary>
public static class SchedulingRegistration
{
    /// <summary>Feeds pulled at the same time.</summary>
    private const int PullsAtOnce = 4;

    /// <param name="sizeLimited">Data:MaxBytes is set.</param>
    public static IServiceCollection AddScheduling(this IServiceCollection services, bool sizeLimited)
    {
        services.AddQuartz(q => q.UseDefaultThreadPool(p => p.MaxConcurrency = PullsAtOnce + 1));
        services.AddQuartzHostedService(o => o.WaitForJobsToComplete = false);
        services.AddSingleton(SchedulingOptions.For(sizeLimited));
        services.AddSingleton<PullPlan>();
        services.AddSingleton<PullRequests>();
        services.AddHostedService<Schedules>();
        return services;
    }
}
