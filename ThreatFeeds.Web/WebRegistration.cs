using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Radzen;
using ThreatFeeds.Web.Data;
using ThreatFeeds.Web.Shared;

namespace ThreatFeeds.Web;

/// <summary>Mounts the console.</summary>
public static class WebRegistration
{
    /// <summary>Largest message a browser may send: a pasted manifest (1 MiB) and its frame.</summary>
    internal const int MaxMessageBytes = (1024 + 64) * 1024;

    /// <summary>Pages that lost their connection and may come back to where they were.</summary>
    internal const int MostLeftCircuits = 20;

    public static IServiceCollection AddConsole(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddRadzenComponents();
        services.AddScoped<Ticker>();
        services.AddScoped<Toasts>();
        services.AddScoped<Failures>();
        services.AddSingleton<ConsoleChanges>().AddSingleton<ConsoleFeeds>().AddSingleton<ConsoleFeedChanges>().AddSingleton<ConsoleAlerts>();
        services.AddHostedService<FeedNews>().AddHostedService<SearchNews>();
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
        app.UseAntiforgery();
        app.MapStaticAssets();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = "'none'");
        return app;
    }

    private static bool AsksForPage(HttpContext context) => HttpMethods.IsGet(context.Request.Method)
        && !context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal)
        && context.Request.Headers.Accept.Any(a => a?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
}
