using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Demo;

/// <summary>Takes a feed's manifest as an operator's would be taken.</summary>
internal delegate Task CreateFeed(JsonObject manifest, CancellationToken cancellationToken);

/// <summary>Where the demo puts what it brings; given by whoever lists the rooms.</summary>
internal sealed record DemoTarget(CreateFeed CreateFeed, ILogStore Logs);

/// <summary>Fills an empty store with sample feeds and logs once the process listens, because it fetches the feeds from itself.</summary>
internal sealed class DemoLoader(
    IServiceProvider services, IContextFactory contexts, IServer server, TimeProvider clock, ILogger<DemoLoader> logger) : IHostedLifecycleService
{
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        DemoTarget? target = services.GetService<DemoTarget>();
        if (target is null || !await IsEmptyAsync(cancellationToken))
        {
            return;
        }
        // Logs first: a demo stopped in between is still empty of feeds and begins again, and its logs are not taken twice.
        await AppendAsync(target.Logs, LogKind.Dns, "dns.jsonl.gz", cancellationToken);
        await AppendAsync(target.Logs, LogKind.Flow, "flows.jsonl.gz", cancellationToken);
        foreach (JsonObject manifest in SampleFiles.Manifests(Self()))
        {
            await target.CreateFeed(manifest, cancellationToken);
        }
        DemoLog.Loaded(logger, Self());
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        return !await db.Resources.AnyAsync(cancellationToken);
    }

    private async Task AppendAsync(ILogStore logs, LogKind kind, string file, CancellationToken cancellationToken)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> lines = await SampleFiles.LogAsync(file, clock.GetUtcNow(), cancellationToken);
        // The key keeps a demo that was stopped half-way from bringing the same records twice.
        try
        {
            await logs.AppendAsync(new LogBatch(kind, "calico", lines, $"demo-{file}"), cancellationToken);
        }
        catch (KeyReusedException)
        {
            // They are there; only their times were others when it was stopped.
        }
    }

    private Uri Self()
    {
        string address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First(a => a.StartsWith("http://", StringComparison.Ordinal));
        return new Uri(address.Replace("://[::]", "://localhost", StringComparison.Ordinal).Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal));
    }
}
