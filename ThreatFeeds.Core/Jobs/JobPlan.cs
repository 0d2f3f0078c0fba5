using Hangfire;
using Hangfire.Server;
using ThreatFeeds.Runs;

namespace ThreatFeeds.Jobs;

/// <summary>Which jobs recur and when, and how servers are set up; all in one place.</summary>
internal sealed class JobPlan(JobStorage storage, JobActivator activator, InstanceId instance, JobOptions options)
{
    public void Schedule()
    {
        var recurring = new RecurringJobManager(storage);
        recurring.AddOrUpdate<DispatchJob>(nameof(DispatchJob), j => j.RunAsync(CancellationToken.None), "* * * * *");
        recurring.AddOrUpdate<SweepJob>(nameof(SweepJob), j => j.RunAsync(CancellationToken.None), "*/10 * * * * *");
        recurring.AddOrUpdate<CompactionJob>(nameof(CompactionJob), j => j.RunAsync(CancellationToken.None), "11 * * * *");
        recurring.AddOrUpdate<RetentionJob>(nameof(RetentionJob), j => j.RunAsync(CancellationToken.None), "7 * * * *");
    }

    public BackgroundJobServer Server(string queue, int workers, IEnumerable<IBackgroundProcess> beside) => new(
        new BackgroundJobServerOptions
        {
            ServerName = $"{instance.Value}-{queue}",
            Queues = [queue],
            WorkerCount = workers,
            Activator = activator,
            SchedulePollingInterval = TimeSpan.FromSeconds(1),
            CancellationCheckInterval = TimeSpan.FromSeconds(5),
            HeartbeatInterval = TimeSpan.FromSeconds(10),
            ServerTimeout = TimeSpan.FromMinutes(1),
            // Told at once: what is under way is a row, and is done again.
            StopTimeout = TimeSpan.Zero,
            ShutdownTimeout = options.ShutdownTime,
        },
        storage,
        beside);
}
