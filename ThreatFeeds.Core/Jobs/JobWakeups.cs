using System.Collections.Concurrent;
using System.Threading.Channels;
using Hangfire;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>
/// Makes a job of each thing that wants one, unless one waits already: sweeps ask again and again while all workers are busy. Who asks does not wait for the job
/// to be written. A wake-up that cannot be written is no loss: the sweep finds what is queued.
/// </summary>
internal sealed class JobWakeups(JobStorage storage, RunQueue runs, SearchSignals signals, ILogger<JobWakeups> log) : IDisposable
{
    /// <summary>Jobs remembered; beyond that all are forgotten, which makes some of them once more.</summary>
    private const int MostMade = 100_000;

    private readonly BackgroundJobClient _client = new(storage);
    private readonly Channel<Wanted> _queue = Channel.CreateUnbounded<Wanted>();
    private readonly ConcurrentDictionary<Wanted, bool> _queued = new();
    private readonly CancellationTokenSource _end = new();

    /// <summary>The id of the job last made for it.</summary>
    private readonly Dictionary<Wanted, string> _made = [];

    private Task _making = Task.CompletedTask;

    public void Begin()
    {
        runs.Queued += OnQueued;
        signals.LookBackWanted += OnLookBackWanted;
        // What is due and what was left over need not wait for their turn.
        Want(new Wanted(typeof(SweepJob), ""));
        Want(new Wanted(typeof(DispatchJob), ""));
        _making = Task.Run(MakeAsync, CancellationToken.None);
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        runs.Queued -= OnQueued;
        signals.LookBackWanted -= OnLookBackWanted;
        await _end.CancelAsync();
        await _making.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _end.Dispose();

    private void OnQueued(string feed) => Want(new Wanted(typeof(PullJob), feed));

    private void OnLookBackWanted(string source) => Want(new Wanted(typeof(LookBackJob), source));

    private void Want(Wanted wanted)
    {
        if (_queued.TryAdd(wanted, true))
        {
            _queue.Writer.TryWrite(wanted);
        }
    }

    private async Task MakeAsync()
    {
        await foreach (Wanted wanted in _queue.Reader.ReadAllAsync(_end.Token))
        {
            // Asked for again from here on, it is looked at again.
            _queued.TryRemove(wanted, out _);
            try
            {
                if (!Waits(wanted))
                {
                    _made[wanted] = Make(wanted);
                }
            }
            catch (Exception problem)
            {
                JobsLog.NotWoken(log, problem);
            }
        }
    }

    /// <summary>A job that waits will see all that was written before it begins; one that has begun may be past it.</summary>
    private bool Waits(Wanted wanted)
    {
        if (_made.Count > MostMade)
        {
            _made.Clear();
        }
        if (!_made.TryGetValue(wanted, out string? id))
        {
            return false;
        }
        using IStorageConnection connection = storage.GetConnection();
        return connection.GetStateData(id)?.Name == EnqueuedState.StateName;
    }

    private string Make(Wanted wanted) =>
        wanted.Job == typeof(PullJob) ? _client.Enqueue<PullJob>(j => j.RunAsync(wanted.Name, CancellationToken.None))
        : wanted.Job == typeof(LookBackJob) ? _client.Enqueue<LookBackJob>(j => j.RunAsync(wanted.Name, CancellationToken.None))
        : wanted.Job == typeof(SweepJob) ? _client.Enqueue<SweepJob>(j => j.RunAsync(CancellationToken.None))
        : _client.Enqueue<DispatchJob>(j => j.RunAsync(CancellationToken.None));

    /// <param name="Name">Of the feed or the source; empty for a job of all.</param>
    private readonly record struct Wanted(Type Job, string Name);
}
