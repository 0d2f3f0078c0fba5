using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MudBlazor;
using MudBlazor.Services;
using ThreatFeeds.Web.Data;
using ThreatFeeds.Web.Shared;

namespace ThreatFeeds.Web;

/// <summary>Mounts the console.</summary>
public static class WebRegistration
{
    /// <summary>Largest message a browser may send: a pasted manifest, a character of which may take six bytes (<c>\u0001</c>), and its frame.</summary>
    internal const int MaxMessageBytes = (6 * ConsoleManifests.MostCharacters) + (64 << 10);

    /// <summary>Pages that lost their connection and may come back to where they were.</summary>
    internal const int MostLeftCircuits = 20;

    /// <summary>Pages that may be open at once.</summary>
    public const int MostCircuits = 200;

    /// <summary>Connections that may be asked for in <see cref="LifeOfAnOffer"/>: the server keeps each offer for so long, whether anybody comes or not.</summary>
    internal const int MostOffers = 1000;

    private static readonly TimeSpan LifeOfAnOffer = TimeSpan.FromSeconds(15);

    /// <param name="hold">Takes room in memory for a manifest of so many bytes that a page keeps, until what it gives is disposed of; null when there is none.</param>
    public static IServiceCollection AddConsole(this IServiceCollection services, Func<IServiceProvider, Func<long, IDisposable?>> hold)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMudServices(options => SetNotices(options.SnackbarConfiguration));
        services.AddScoped<Ticker>();
        services.AddScoped<Toasts>();
        services.AddScoped<Failures>();
        services.AddSingleton<ConsoleChanges>().AddSingleton<ConsoleFeeds>().AddSingleton(p => new HoldManifest(hold(p))).AddSingleton<ConsoleManifests>().AddSingleton<ConsoleFeedChanges>().AddSingleton<ConsoleAlerts>();
        services.AddHostedService<FeedNews>().AddHostedService<SearchNews>();
        services.AddSingleton(new CircuitPlaces(MostCircuits)).AddScoped<CircuitHandler, CircuitPlace>();
        services.AddSingleton<RateLimiter>(_ => new FixedWindowRateLimiter(new() { PermitLimit = MostOffers, Window = LifeOfAnOffer }));
        services.AddRazorComponents()
            .AddInteractiveServerComponents(options =>
            {
                options.DisconnectedCircuitMaxRetained = MostLeftCircuits;
                options.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);
                options.PersistedCircuitInMemoryMaxRetained = MostLeftCircuits;
                options.MaxBufferedUnacknowledgedRenderBatches = 10;
                options.DetailedErrors = false;
            })
            .AddHubOptions(options =>
            {
                options.MaximumReceiveMessageSize = MaxMessageBytes;
                options.MaximumParallelInvocationsPerClient = 1;
                options.EnableDetailedErrors = false;
            });
        return services;
    }

    internal static void SetNotices(SnackbarConfiguration notices)
    {
        notices.PositionClass = Defaults.Classes.Position.BottomRight;
        notices.SnackbarVariant = Variant.Outlined;
        // Two things done may be said in the same words, and each be taken back.
        notices.PreventDuplicates = false;
        notices.MaximumOpacity = 100;
        notices.ShowTransitionDuration = notices.HideTransitionDuration = 150;
    }

    /// <summary>Maps pages and static files. Call it after the middleware that guards requests.</summary>
    public static WebApplication MapConsole(this WebApplication app)
    {
        // A mistyped address is answered with a page where a page was asked for; programs get the bare status.
        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        app.Use((context, next) =>
        {
            if (!AsksForPage(context) && context.Features.Get<IStatusCodePagesFeature>() is { } pages)
            {
                pages.Enabled = false;
            }
            return next(context);
        });
        CircuitPlaces places = app.Services.GetRequiredService<CircuitPlaces>();
        app.Use((context, next) => places.IsFull && AsksForPage(context) && context.GetEndpoint()?.Metadata.GetMetadata<ComponentTypeMetadata>() is not null
            ? SayFullAsync(context, places.Most)
            : next(context));
        RateLimiter offers = app.Services.GetRequiredService<RateLimiter>();
        app.Use((context, next) =>
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<NegotiateMetadata>() is not null && !offers.AttemptAcquire().IsAcquired)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                context.Response.Headers.RetryAfter = $"{LifeOfAnOffer.TotalSeconds:0}";
                return Task.CompletedTask;
            }
            return next(context);
        });
        app.UseAntiforgery();
        app.MapStaticAssets();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = "'none'").Add(AllowWebSocketsOnly);
        return app;
    }

    /// <summary>By long polling one could open pages without the connections whose number the server bounds.</summary>
    private static void AllowWebSocketsOnly(EndpointBuilder endpoint)
    {
        foreach (HttpConnectionDispatcherOptions hub in endpoint.Metadata.OfType<HttpConnectionDispatcherOptions>())
        {
            hub.Transports = HttpTransportType.WebSockets;
        }
    }

    private static Task SayFullAsync(HttpContext context, int most)
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.RetryAfter = "60";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync($"""
            <!DOCTYPE html>
            <html lang="en"><meta charset="utf-8"><title>Too many open pages · ThreatFeeds</title>
            <h1>Too many pages are open</h1>
            <p>{most} pages of this console are open, and no more can be. Close one that nobody looks at, and reload this page a little later. Pulling and searching are not affected.</p>
            </html>
            """, context.RequestAborted);
    }

    private static bool AsksForPage(HttpContext context) => HttpMethods.IsGet(context.Request.Method)
        && !context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal)
        && context.Request.Headers.Accept.Any(a => a?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
}
