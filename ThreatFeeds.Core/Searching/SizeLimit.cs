using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Searching;

/// <summary>Deletes the oldest records as soon as the store says that there are more than Data:MaxBytes.</summary>
internal sealed class SizeLimit(ILogStore logs, RecordRetention retention, TimeProvider time, ILogger<SizeLimit> logger) : BackgroundService
{
    /// <summary>Looks by itself, too: what was over at the start, or could not be deleted, says nothing more.</summary>
    private static readonly TimeSpan Doze = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wake = new Wake(time);
        logs.Overfull += wake.Up;
        try
        {
            while (true)
            {
                try
                {
                    await retention.ShrinkAsync(stoppingToken);
                }
                catch (Exception problem) when (problem is not OperationCanceledException)
                {
                    SearchingLog.NotShrunk(logger, problem);
                    await Task.Delay(Pause, time, stoppingToken);
                }
                await wake.WaitAsync(Doze, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            logs.Overfull -= wake.Up;
        }
    }
}
