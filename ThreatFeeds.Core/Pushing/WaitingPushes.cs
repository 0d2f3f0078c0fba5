using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;

namespace ThreatFeeds.Pushing;

/// <summary>Applies documents that wait when their feed appears.</summary>
public sealed class WaitingPushes(FeedChanges changes, PushedDocuments documents, PushSet push, ILogger<WaitingPushes> log) : BackgroundService
{
    private readonly Channel<string> _changed = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });

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
        // A feed may have appeared just before the process stopped.
        foreach (string feed in await documents.WaitingFeedsAsync(stoppingToken))
        {
            await ApplyAsync(feed, stoppingToken);
        }
        await foreach (string feed in _changed.Reader.ReadAllAsync(stoppingToken))
        {
            await ApplyAsync(feed, stoppingToken);
        }
    }

    private void OnChanged(string feed) => _changed.Writer.TryWrite(feed);

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
