using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Feeds;
using ThreatFeeds.Logs;
using ThreatFeeds.Resources;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>What the feeds say of searches that fail, and when they stop saying it.</summary>
public sealed class SearchConditionTests
{
    [Fact]
    public async Task A_failure_of_a_source_that_is_gone_is_taken_back()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        using var signals = new SearchSignals(world.Listings, TimeProvider.System);
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        var loops = new SearchLoops(world.Logs, world.Forward, world.Book, health, signals) { Doze = TimeSpan.FromMilliseconds(20) };
        using var end = new CancellationTokenSource();
        Task running = loops.RunAsync(end.Token);
        await FeedsHost.UntilAsync(() => Task.FromResult(world.HeadsRead(dns) > 1));
        world.Hide(dns);
        await FeedsHost.UntilAsync(() => Task.FromResult(!signals.Knows(dns.Id)));
        // Its last failure was still on the way when its loop was told to end.
        await health.FailedAsync(SearchHealth.LookBack, dns, new LogStoreException("gone"), default);
        Assert.Single(await MessagesAsync(world));
        world.ShowAll();
        await FeedsHost.UntilAsync(() => Task.FromResult(signals.Knows(dns.Id)));
        world.Hide(dns);
        await FeedsHost.UntilAsync(async () => (await MessagesAsync(world)).Length == 0);
        await end.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task The_feeds_say_why_a_search_failed_last()
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);
        await world.FeedAsync("one", "DomainNameSet");
        using SearchHealth health = Health(world);
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("the first reason"), default);
        await health.FailedAsync(SearchHealth.Forward, dns, new LogStoreException("another reason"), default);
        Assert.Contains("another reason", Assert.Single(await MessagesAsync(world)), StringComparison.Ordinal);
    }

    private static SearchHealth Health(SearchWorld world) => new(
        world.Catalog, new FeedStatusWriter(world.Contexts, new ResourceStore(TimeProvider.System)), world.States, NullLogger<SearchHealth>.Instance, TimeProvider.System);

    private static async Task<string[]> MessagesAsync(SearchWorld world) =>
        [.. (await world.Catalog.FindAsync("one", default))!.Status.ErrorConditions.Select(c => c.Message)];
}
