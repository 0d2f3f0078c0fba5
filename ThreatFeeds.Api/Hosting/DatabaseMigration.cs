using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Takes the data folder, then brings the database to the newest migration before any room starts its work.</summary>
internal sealed class DatabaseMigration(IContextFactory contexts, DataFolder folder, Settings settings, ILogger<DatabaseMigration> logger) : IHostedLifecycleService
{
    private bool _done;

    /// <summary>Once, whoever asks first: the command line does before the host starts, since the host logs a stack trace of whatever fails in it.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (_done)
        {
            return;
        }
        HostingLog.Starting(logger, settings.Data.Directory, settings.Storage.Provider.ToString());
        if (settings.Http.AllowOpen)
        {
            HostingLog.Open(logger);
        }
        folder.Hold();
        await contexts.MigrateAsync(cancellationToken);
        _done = true;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
