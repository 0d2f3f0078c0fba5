using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Brings the database to the newest migration before any room starts its work.</summary>
internal sealed class DatabaseMigration(IContextFactory contexts, Settings settings, ILogger<DatabaseMigration> logger) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        HostingLog.Starting(logger, settings.Data.Directory, settings.Storage.Provider.ToString());
        if (settings.Http.AllowOpen)
        {
            HostingLog.Open(logger);
        }
        await contexts.MigrateAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
