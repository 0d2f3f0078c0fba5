using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Bounds on what one client can make the process hold. Endpoints that take more raise the body's size for themselves.</summary>
internal static class Limits
{
    /// <summary>Bytes of a request body by default (a manifest's bound).</summary>
    public const long Body = 1 << 20;

    public static void AddLimits(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            KestrelServerLimits limits = kestrel.Limits;
            limits.MaxRequestBodySize = Body;
            limits.MaxRequestLineSize = 8 << 10;
            limits.MaxRequestHeadersTotalSize = 32 << 10;
            limits.MaxRequestHeaderCount = 100;
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            limits.MaxConcurrentConnections = 2000;
            // One web socket per open console page.
            limits.MaxConcurrentUpgradedConnections = 200;
        });
        builder.Services.Configure<HubOptions>(hub =>
        {
            hub.MaximumReceiveMessageSize = 128 << 10;
            hub.MaximumParallelInvocationsPerClient = 1;
            hub.EnableDetailedErrors = false;
        });
        builder.Services.Configure<CircuitOptions>(circuits =>
        {
            circuits.DisconnectedCircuitMaxRetained = 50;
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
            circuits.PersistedCircuitInMemoryMaxRetained = 50;
            circuits.MaxBufferedUnacknowledgedRenderBatches = 10;
            circuits.DetailedErrors = false;
        });
    }
}
