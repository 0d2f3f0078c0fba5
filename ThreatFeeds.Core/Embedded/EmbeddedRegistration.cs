using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Embedded;

/// <summary>The embedded log store as the <see cref="ILogStore"/> of the process.</summary>
public static class EmbeddedRegistration
{
    /// <summary>The store opens when the host starts, after the database was migrated and before hosted services registered later; its data folder is then held until the host ends.</summary>
    public static IServiceCollection AddEmbedded(this IServiceCollection services, EmbeddedOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<EmbeddedLogStore>();
        services.AddSingleton<ILogStore>(p => p.GetRequiredService<EmbeddedLogStore>());
        services.AddHostedService<EmbeddedStart>();
        return services;
    }
}

/// <summary>Opens the store above the marks that the database holds.</summary>
internal sealed class EmbeddedStart(EmbeddedLogStore store, IContextFactory contexts) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        Dictionary<string, Position> marks = await db.Progress.AsNoTracking()
            .ToDictionaryAsync(p => p.Source, p => new Position(p.MarkSegment, p.MarkOrdinal), cancellationToken);
        await store.OpenAsync(marks, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
