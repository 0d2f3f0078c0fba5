using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Demo;

/// <summary>
/// Plays the made-up cluster: fills an empty store with the day before now and with the sample feeds, then lets records arrive as time goes on. It begins once the
/// process listens, because it fetches the feeds from itself.
/// </summary>
internal sealed class DemoLoader(
    DemoTarget target, IContextFactory contexts, IServer server, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<DemoLoader> logger) : BackgroundService
{
    /// <summary>How often new records come.</summary>
    internal static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    /// <summary>After this an analyst pushes the name of a server that a pod has long been in contact with.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromSeconds(60);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            DateTimeOffset moment = clock.GetUtcNow();
            var arrivals = new DemoArrivals(target.AppendLogs, moment);
            if (await IsEmptyAsync(stoppingToken))
            {
                // Logs first: a demo stopped in between is still empty of feeds and begins again, and its logs are not taken twice.
                await arrivals.BringDayAsync(stoppingToken);
                foreach (JsonObject manifest in SampleFiles.Manifests(Self()))
                {
                    await target.CreateFeed(manifest, stoppingToken);
                }
                DemoLog.Loaded(logger, Self());
            }
            await GoOnAsync(arrivals, moment + Late, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task GoOnAsync(DemoArrivals arrivals, DateTimeOffset? pushAt, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Step, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await arrivals.BringNewAsync(clock.GetUtcNow(), stoppingToken);
                if (pushAt <= clock.GetUtcNow())
                {
                    await target.PushNames(SampleFiles.PushedFeed, new JsonObject { ["domains"] = new JsonArray(SampleStory.LateServer) }, stoppingToken);
                    pushAt = null;
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // What did not get in comes with the next step.
                DemoLog.StepFailed(logger, e);
            }
        }
    }

    private async Task StartedAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
    }

    private async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return !await db.Resources.AnyAsync(cancellationToken);
    }

    private Uri Self()
    {
        string address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First(a => a.StartsWith("http://", StringComparison.Ordinal));
        foreach (string every in (string[])["[::]", "0.0.0.0", "+", "*"])
        {
            address = address.Replace($"://{every}", "://localhost", StringComparison.Ordinal);
        }
        return new Uri(address);
    }
}
