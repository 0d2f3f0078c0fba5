using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Pushing;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pushing;

public sealed class PushRaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public async Task Two_processes_that_push_one_feed_leave_set_and_document_of_the_same_push()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, postgres: database.ConnectionString);
        await host.CreateAsync("one", "IPSet");
        // The set of the first is stored, its document not yet.
        var before = new BeforeStatement("UPDATE pushed_documents SET");
        Task<PushResult>? second = null;
        using PushSet other = Process(database.Factory);
        before.Happens = async () =>
        {
            second = Task.Run(() => PushAsync(other, "99.99.99.2"));
            await FeedsHost.UntilAsync(async () => second.IsCompleted || await LockWaits.AnyAsync(database.Factory));
        };
        using PushSet push = Process(before.Wrap(database));
        Assert.Equal(PushStatus.Stored, (await PushAsync(push, "99.99.99.1")).Status);
        Assert.NotNull(second);
        Assert.Equal(PushStatus.Stored, (await second).Status);

        string set = Assert.Single(await host.IndicatorsAsync("one"));
        Assert.Contains(set, (await host.Get<PushedDocuments>().FindAsync("one", ContentKind.IPSet, default))!.Document);

        PushSet Process(IContextFactory contexts) =>
            new(host.Get<FeedCatalog>(), host.Get<ListedSets>(), new PushedDocuments(contexts), host.Get<PushOutcomes>());
    }

    private static Task<PushResult> PushAsync(PushSet push, string address) =>
        push.PushAsync("one", Documents.Of(ContentKind.IPSet, $$"""{"ips": ["{{address}}/32"]}"""), Actor.Local, default);
}
