using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>
/// The property of <see cref="SearchPropertyTests"/> with all searches of all sources running at once while feeds change and records arrive, and with a
/// database whose commits fail now and then.
/// </summary>
public sealed class SearchRaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task With_all_searches_at_once_hits_lie_between_must_and_may(StorageProvider provider)
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            await RunAsync(provider, seed, failEvery: 0);
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task With_a_database_whose_commits_fail_nothing_is_stuck_lost_or_doubled(StorageProvider provider)
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            Assert.True(await RunAsync(provider, seed, failEvery: 3 + (seed % 5)) > 5, "hardly a commit failed");
        }
    }

    private static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("THREATFEEDS_TEST_SEEDS"), out int more) ? more : 4;

    /// <returns>How many commits failed.</returns>
    private static async Task<int> RunAsync(StorageProvider provider, int seed, int failEvery)
    {
        var random = new Random(seed);
        var faults = new FailingDatabase();
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, wrap: faults.Wrap);
        world.Insist = UntilDoneAsync;
        var truth = new Truth();
        using var end = new CancellationTokenSource();
        faults.FailEvery(failEvery);
        Task[] searches = [.. world.Logs.Sources.SelectMany(s => new[]
        {
            Task.Run(() => StepAsync(() => world.ForwardAsync(s), end.Token)),
            Task.Run(() => StepAsync(() => world.ForwardAsync(s), end.Token)),
            Task.Run(() => StepAsync(() => world.LookBack.StepAsync(s, default), end.Token)),
        })];
        try
        {
            for (int action = 0; action < 60; action++)
            {
                await ActAsync(world, truth, random);
                Task broken = await Task.WhenAny([Task.CompletedTask, .. searches]);
                await broken;
            }
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(searches).WaitAsync(Patience);
        }
        faults.FailEvery(0);
        await SearchPropertyTests.CheckAsync(world, truth);
        return faults.Failed;
    }

    private static async Task ActAsync(SearchWorld world, Truth truth, Random random)
    {
        switch (random.Next(8))
        {
            case 0 or 1:
                string[] names = SearchPropertyTests.Pick(random, SearchPropertyTests.Names, 4);
                await truth.RecordsAsync(world, LogKind.Dns, names, () => world.DnsAsync(names));
                break;
            case 2 or 3:
                string[] addresses = SearchPropertyTests.Pick(random, SearchPropertyTests.Addresses, 4);
                await truth.RecordsAsync(world, LogKind.Flow, addresses, () => world.FlowsAsync(addresses));
                break;
            case 4 or 5:
                await SearchPropertyTests.ChangeFeedAsync(world, truth, random);
                break;
            case 6:
                await SearchPropertyTests.ReplaceSetAsync(world, truth, random);
                break;
            default:
                world.Clock.Advance(TimeSpan.FromMinutes(random.Next(90)));
                break;
        }
    }

    private static async Task StepAsync(Func<Task<StepResult>> step, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                if (await step() == StepResult.Idle)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
                }
            }
            catch (Exception problem) when (problem.GetBaseException() is FailingDatabase.Failure)
            {
                // As in the loops: the mark stays, and it is tried again.
            }
        }
    }

    private static async Task UntilDoneAsync(Func<Task> change)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await change();
                return;
            }
            catch (Exception problem) when (problem.GetBaseException() is FailingDatabase.Failure && attempt < 20)
            {
            }
        }
    }
}
