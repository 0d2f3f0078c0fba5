using Hangfire;
using Hangfire.Storage;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Jobs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Jobs;

/// <summary>Hangfire's locks are rows in PostgreSQL; a process that is killed leaves what it holds.</summary>
public sealed class LeftLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public async Task A_lock_that_was_just_left_keeps_nothing_from_starting()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using FeedsHost host = await HostAsync(database, ageInSeconds: 0);
        // Waiting for the lock takes 15 s, and then fails.
        await host.StartAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await host.CreateAsync("names", "DomainNameSet", server.Url);
        await FeedsHost.UntilAsync(async () => (await host.IndicatorsAsync("names")).SequenceEqual(["bad.example"]));
    }

    [PostgresFact]
    public async Task A_lock_left_a_quarter_of_a_minute_ago_counts_no_longer()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using FeedsHost host = await HostAsync(database, ageInSeconds: 16);
        await host.StartAsync();
        await FeedsHost.UntilAsync(() =>
        {
            using IStorageConnection connection = host.Get<JobStorage>().GetConnection();
            return Task.FromResult(connection.GetRecurringJobs().Count == 4);
        });
    }

    /// <summary>A host that finds the locks of all that recurs.</summary>
    private async Task<FeedsHost> HostAsync(TestDatabase database, int ageInSeconds)
    {
        FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, s => FeedsHost.AddJobs(s, _folder.Path, database.ConnectionString), postgres: database.ConnectionString);
        // Makes the tables.
        host.Get<JobStorage>().GetConnection().Dispose();
        string[] jobs = [nameof(DispatchJob), nameof(SweepJob), nameof(CompactionJob), nameof(RetentionJob)];
        foreach (string job in jobs)
        {
            await host.AlterAsync(db => db.Database.ExecuteSqlAsync(
                $"INSERT INTO hangfire.lock (resource, updatecount, acquired) VALUES ({"hangfire:lock:recurring-job:" + job}, 0, now() AT TIME ZONE 'utc' - make_interval(secs => {ageInSeconds}))"));
        }
        return host;
    }
}
