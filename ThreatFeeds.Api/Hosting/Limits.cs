using Microsoft.AspNetCore.Server.Kestrel.Core;
using ThreatFeeds.Web;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Bounds on what one client can make the process hold. Endpoints that take more raise the body's size for themselves; what a page's circuit may hold stands with the console.</summary>
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
            // What the server reads ahead for each connection, before any call asks for it.
            limits.MaxRequestBufferSize = 128 << 10;
            // How fast a body must come is ours to say: the server's own rule, 5 s for whatever comes, would cut a body short that IncomingBody still waits for.
            limits.MinRequestBodyDataRate = null;
            // What a call answers is held until it has gone: whoever reads it more slowly than this is cut off.
            limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 8 << 10, gracePeriod: TimeSpan.FromSeconds(10));
            limits.MaxRequestLineSize = 8 << 10;
            limits.MaxRequestHeadersTotalSize = 32 << 10;
            limits.MaxRequestHeaderCount = 100;
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            limits.MaxConcurrentConnections = 2000;
            // One web socket per open console page, and some of pages that are being left.
            limits.MaxConcurrentUpgradedConnections = WebRegistration.MostCircuits + 50;
        });
    }
}
