using Hangfire;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>Makes a job of each thing that wants one. A wake-up that cannot be written is no loss: the sweep finds what is queued.</summary>
internal sealed class JobWakeups(JobStorage storage, RunQueue runs, SearchSignals signals, ILogger<JobWakeups> log)
{
    private readonly BackgroundJobClient _client = new(storage);

    public void Begin()
    {
        runs.Queued += OnQueued;
        signals.LookBackWanted += OnLookBackWanted;
        // What is due and what was left over need not wait for their turn.
        Try(() => _client.Enqueue<SweepJob>(j => j.RunAsync(CancellationToken.None)));
        Try(() => _client.Enqueue<DispatchJob>(j => j.RunAsync(CancellationToken.None)));
    }

    public void End()
    {
        runs.Queued -= OnQueued;
        signals.LookBackWanted -= OnLookBackWanted;
    }

    private void OnQueued(string feed) => Try(() => _client.Enqueue<PullJob>(j => j.RunAsync(feed, CancellationToken.None)));

    private void OnLookBackWanted(string source) => Try(() => _client.Enqueue<LookBackJob>(j => j.RunAsync(source, CancellationToken.None)));

    private void Try(Func<string> enqueue)
    {
        try
        {
            enqueue();
        }
        catch (Exception problem)
        {
            // Whoever caused it has done its own work; it must not fail for this.
            JobsLog.NotWoken(log, problem);
        }
    }
}
