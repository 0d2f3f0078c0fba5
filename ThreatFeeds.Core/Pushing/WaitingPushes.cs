using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;

namespace ThreatFeeds.Pushing;

/// <summary>Applies documents that wait: when their feed appears, at the start, and again and again while that fails. They were accepted, and must not be lost.</summary>
public sealed class WaitingPushes(FeedChanges changes, PushedDocuments documents, PushSet push, TimeProvider time, ILogger<WaitingPushes> log) : BackgroundService
{
    /// <summary>Looks by itself, too: what failed wakes nobody, nor does a feed that another process made.</summary>
    private static readonly TimeSpan s_doze = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        changes.FeedChanged += OnChanged;
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        changes.FeedChanged -= OnChanged;
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await ApplyAsync(stoppingToken);
            using var doze = new CancellationTokenSource(s_doze, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(doze.Token, stoppingToken);
            try
            {
                await _changed.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                // The time is over, or the process stops.
            }
        }
    }

    private void OnChanged(string feed) => _changed.Writer.TryWrite(true);

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (string feed in await documents.WaitingFeedsAsync(cancellationToken))
            {
                await ApplyAsync(feed, cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            PushingLog.WaitingUnknown(log, e);
        }
    }

    /// <summary>One that fails does not keep the others waiting.</summary>
    private async Task ApplyAsync(string feed, CancellationToken cancellationToken)
    {
        try
        {
            await push.ApplyWaitingAsync(feed, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            PushingLog.WaitingFailed(log, feed, e);
        }
    }
}
