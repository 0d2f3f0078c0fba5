using Hangfire;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Jobs;

/// <summary>Does the look-backs of a source.</summary>
public sealed class LookBackJob(LookBackLoop loop)
{
    [Queue(Queues.LookBacks)]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public Task RunAsync(string source, CancellationToken cancellationToken) => loop.RunAsync(source, cancellationToken);
}
