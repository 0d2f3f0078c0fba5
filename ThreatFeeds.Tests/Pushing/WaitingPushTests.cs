using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Pushing;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pushing;

/// <summary>A document that was accepted is applied, whatever fails meanwhile.</summary>
public sealed class WaitingPushTests : IDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly TemporaryFolder _folder = new();
    private readonly ManualClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_waiting_document_whose_application_failed_becomes_a_condition_and_is_applied_soon_after()
    {
        var faults = new FailingDatabase();
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        await using FeedsHost host = await HostAsync(_ => faults.Wrap(database));
        // Before those of the host, so that the first thing that is stored then fails.
        host.Get<FeedChanges>().FeedChanged += _ => faults.FailNextCommit();
        await host.StartAsync();
        Assert.Equal(PushStatus.Waiting, (await PushAsync(host)).Status);

        await host.CreateAsync("later", "IPSet");
        await FeedsHost.UntilAsync(async () => (await host.ConditionsAsync("later")).Any(c => c.Type == ConditionType.PushRefused));
        Assert.Empty(await host.IndicatorsAsync("later"));

        await _clock.AdvanceUntilAsync(Step, async () => (await host.IndicatorsAsync("later")).Count == 1);
        await FeedsHost.UntilAsync(async () => (await host.ConditionsAsync("later")).Count == 0);
        await FeedsHost.UntilAsync(async () => (await host.Get<PushedDocuments>().WaitingFeedsAsync(default)).Count == 0);
    }

    [Fact]
    public async Task A_database_that_is_away_at_the_start_loses_no_waiting_document_and_ends_no_process()
    {
        await using (FeedsHost before = await FeedsHost.CreateAsync(_folder.Path))
        {
            Assert.Equal(PushStatus.Waiting, (await PushAsync(before)).Status);
            await before.CreateAsync("later", "IPSet");
        }
        InterruptedContexts contexts = null!;
        await using FeedsHost host = await HostAsync(real => contexts = new InterruptedContexts(real));
        contexts.Away = true;
        await host.StartAsync();
        await FeedsHost.UntilAsync(() => Task.FromResult(contexts.Refused > 0));
        contexts.Away = false;
        await _clock.AdvanceUntilAsync(Step, async () => (await host.IndicatorsAsync("later")).Count == 1);
    }

    private Task<FeedsHost> HostAsync(Func<IContextFactory, IContextFactory> wrap) => FeedsHost.CreateAsync(_folder.Path, services =>
    {
        ServiceDescriptor real = services.Last(d => d.ServiceType == typeof(IContextFactory));
        services.Replace(ServiceDescriptor.Singleton(p => wrap((IContextFactory)ActivatorUtilities.CreateInstance(p, real.ImplementationType!))));
        services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_clock));
    });

    private static Task<PushResult> PushAsync(FeedsHost host) =>
        host.Get<PushSet>().PushAsync("later", Documents.Of(ContentKind.IPSet, """{"ips": ["99.99.99.99/32"]}"""), Actor.Local, default);
}
