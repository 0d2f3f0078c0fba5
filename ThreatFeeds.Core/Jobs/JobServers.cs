using Hangfire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Runs;

namespace ThreatFeeds.Jobs;

/// <summary>
/// Hangfire's servers: it decides when, and our rows are the truth of what. Lost with the process, its jobs are made anew from the rows; made twice, the second
/// finds nothing to do.
/// </summary>
internal sealed class JobServers(JobPlan plan, JobWakeups wakeups, ForwardProcess forward, RunQueue runs, TimeProvider time, ILogger<JobServers> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly List<BackgroundJobServer> _servers = [];
    private readonly CancellationTokenSource _end = new();
    private Task _scheduling = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> left = await runs.TakeBackAsync(cancellationToken);
        JobsLog.Started(log, left.Count);
        _servers.Add(plan.Server(Queues.Pulls, PullWorkers, []));
        _servers.Add(plan.Server(Queues.LookBacks, LookBackWorkers, []));
        _servers.Add(plan.Server(Queues.Retention, 1, []));
        _servers.Add(plan.Server(Queues.Upkeep, 1, [forward]));
        wakeups.Begin();
        // A lock of a process that was killed may stand in the way for a while; a start waits for nobody.
        _scheduling = Task.Run(ScheduleAsync, CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        await _scheduling.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await wakeups.EndAsync(cancellationToken);
        _servers.ForEach(s => s.SendStop());
        foreach (BackgroundJobServer server in _servers)
        {
            // What did not stop in time is left as it is: its run is a row, and is done again.
            await server.WaitForShutdownAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _servers.ForEach(s => s.Dispose());
        _end.Dispose();
    }

    private async Task ScheduleAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                plan.Schedule();
                return;
            }
            catch (Exception problem)
            {
                JobsLog.NotScheduled(log, problem);
                await Task.Delay(s_pause, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Feeds pulled at the same time.</summary>
    private const int PullWorkers = 16;

    /// <summary>Sources looked back over at the same time.</summary>
    private const int LookBackWorkers = 2;
}
