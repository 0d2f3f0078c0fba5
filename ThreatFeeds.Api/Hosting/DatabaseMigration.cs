using Microsoft.EntityFrameworkCore;
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
        await RefuseLaterAsync(cancellationToken);
        await contexts.MigrateAsync(cancellationToken);
        _done = true;
    }

    /// <summary>What a later version made of the database this one would misread, or write less into than belongs there.</summary>
    private async Task RefuseLaterAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        string? unknown = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).Except(db.Database.GetMigrations()).Order(StringComparer.Ordinal).LastOrDefault();
        if (unknown is not null)
        {
            throw new SettingsException($"The database was made by a later version (migration {unknown} is not known here). Start that version or a newer one, or restore the backup made before the upgrade.");
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
