using ThreatFeeds.Feeds;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Scheduling;

public sealed class RunHistoryTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FeedsHost _host = null!;
    private Feed _feed = null!;

    public async Task InitializeAsync()
    {
        _host = await FeedsHost.CreateAsync(_folder.Path);
        _feed = await _host.CreateAsync("names", "DomainNameSet", "http://127.0.0.1:9/");
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_feed_has_at_most_one_active_and_one_queued_run()
    {
        RunRow[] first = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _host.Runs.EnqueueAsync(_feed, RunTriggers.Manual, default)));
        Assert.Single(first.Select(r => r.Id).Distinct());
        RunRow?[] started = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _host.Runs.StartNextAsync("names", default)));
        RunRow active = Assert.Single(started, r => r is not null)!;
        RunRow[] second = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _host.Runs.EnqueueAsync(_feed, RunTriggers.Schedule, default)));
        Assert.NotEqual(active.Id, Assert.Single(second.Select(r => r.Id).Distinct()));
        Assert.Null(await _host.Runs.StartNextAsync("names", default));
        await _host.Runs.FinishAsync(active.Id, new RunEnd(RunOutcomes.Unchanged, null), default);
        Assert.Equal(second[0].Id, (await _host.Runs.StartNextAsync("names", default))!.Id);
    }

    [Fact]
    public async Task An_interrupted_run_goes_back_to_the_queue()
    {
        RunRow row = await _host.Runs.EnqueueAsync(_feed, RunTriggers.Manual, default);
        await _host.Runs.StartNextAsync("names", default);
        await _host.Runs.EnqueueAsync(_feed, RunTriggers.Schedule, default);
        Assert.Equal(["names"], await _host.Runs.RecoverAsync(default));
        Assert.Equal(row.Id, (await _host.Runs.StartNextAsync("names", default))!.Id);
        await _host.Runs.FinishAsync(row.Id, new RunEnd(RunOutcomes.Unchanged, null), default);
        Assert.Null(await _host.Runs.StartNextAsync("names", default));
    }

    [Fact]
    public async Task A_hundred_finished_runs_are_kept_and_listed_newest_first()
    {
        for (int i = 0; i < RunHistory.Kept + 5; i++)
        {
            await _host.Runs.RecordAsync(_feed, RunTriggers.Push, TimeProvider.System.GetUtcNow(), new RunEnd(RunOutcomes.Replaced, $"{i}"), default);
        }
        var seen = new List<string?>();
        string? after = null;
        do
        {
            Page<FeedRun> page = await _host.Runs.ListAsync(_feed, after, 30, default);
            seen.AddRange(page.Items.Select(r => r.Message));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Range(5, RunHistory.Kept).Reverse().Select(i => $"{i}"), seen);
    }
}
