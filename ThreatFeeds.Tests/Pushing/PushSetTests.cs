using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pushing;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pushing;

public sealed class PushSetTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FeedsHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await FeedsHost.CreateAsync(_folder.Path);
        await _host.StartAsync();
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_push_replaces_the_whole_set_and_may_shrink_it()
    {
        Feed feed = await _host.CreateAsync("pushed", "IPSet");
        string many = string.Join(',', Enumerable.Range(1, 200).Select(i => $"\"198.51.100.{i}/32\""));
        Assert.True((await PushAsync("pushed", $$"""{"ips": [{{many}}]}""")).Created);
        PushResult second = await PushAsync("pushed", """{"ips": ["99.99.99.99/32", "", "100.100.100.0/24", "nonsense"]}""");
        Assert.Equal((PushStatus.Stored, 2L, false, 1L), (second.Status, second.Version, second.Created, second.Refused));
        Assert.Equal(["99.99.99.99", "100.100.100.0/24"], await _host.IndicatorsAsync("pushed"));
        IReadOnlyList<FeedRun> runs = (await _host.Runs.ListAsync(feed, null, 10, default)).Items;
        Assert.Equal([(RunTrigger.Push, 198L + 2), (RunTrigger.Push, 0L)], runs.Select(r => (r.Trigger, r.Removed)));
        Assert.NotNull((await _host.Get<FeedCatalog>().FindAsync("pushed", default))!.Status.LastSuccessfulSync);
    }

    [Theory]
    [InlineData("""{"domains": ["bad.example"]}""", "'ips'")]
    [InlineData("""{"ips": "192.0.2.1"}""", "not a list")]
    [InlineData("""{"ips": ["192.0.2.1", 7]}""", "Entry 2")]
    [InlineData("""{"ips": ["192.0.2.1", true, 8, "192.0.2.2"]}""", "Entry 2 of 'ips' is true or false")]
    [InlineData("""{"ips": []}""", "DELETE")]
    [InlineData("{}", "empty")]
    [InlineData("[]", "not an object")]
    [InlineData("""{"ips": ["192.0.2.1"], "more": 1}""", "exactly the field")]
    [InlineData("""{"ips": ["nonsense", "more nonsense"]}""", "No entry of the list is usable")]
    [InlineData("""{"ips": ["", ""]}""", "No entry of the list is usable")]
    public async Task An_unusable_document_changes_nothing_and_becomes_a_condition(string document, string words)
    {
        await _host.CreateAsync("pushed", "IPSet");
        await PushAsync("pushed", """{"ips": ["99.99.99.99/32"]}""");
        PushResult result = await PushAsync("pushed", document);
        Assert.Equal(PushStatus.Unusable, result.Status);
        Assert.Contains(words, result.Message);
        Assert.Contains("Write ", result.Message);
        Assert.Equal(["99.99.99.99"], await _host.IndicatorsAsync("pushed"));
        Assert.Equal(ConditionType.PushRefused, Assert.Single(await _host.ConditionsAsync("pushed")).Type);
        await PushAsync("pushed", """{"ips": ["99.99.99.98/32"]}""");
        Assert.Empty(await _host.ConditionsAsync("pushed"));
    }

    [Fact]
    public async Task A_pulled_feed_takes_no_push_and_says_why()
    {
        await _host.CreateAsync("pulled", "IPSet", "https://feeds.example/ips.txt");
        PushResult result = await PushAsync("pulled", """{"ips": ["99.99.99.99/32"]}""");
        Assert.Equal(PushStatus.PulledFeed, result.Status);
        Assert.Contains("https://feeds.example/ips.txt", result.Message);
    }

    [Fact]
    public async Task A_document_waits_for_its_feed_and_is_applied_when_it_appears()
    {
        Assert.Equal(PushStatus.Waiting, (await PushAsync("later", """{"ips": ["99.99.99.99/32"]}""")).Status);
        Assert.NotNull(await _host.Get<PushedDocuments>().FindAsync("later", ContentKind.IPSet, default));
        await _host.CreateAsync("later", "IPSet");
        await FeedsHost.UntilAsync(async () => (await _host.IndicatorsAsync("later")).Count == 1);
        await FeedsHost.UntilAsync(async () => (await _host.Get<PushedDocuments>().WaitingFeedsAsync(default)).Count == 0);
    }

    [Fact]
    public async Task A_waiting_document_of_the_other_content_becomes_a_condition()
    {
        await PushAsync("later", """{"ips": ["99.99.99.99/32"]}""");
        await _host.CreateAsync("later", "DomainNameSet");
        await FeedsHost.UntilAsync(async () => (await _host.ConditionsAsync("later")).Any(c => c.Type == ConditionType.PushRefused));
    }

    [Fact]
    public async Task A_disabled_feed_stores_what_is_pushed()
    {
        await _host.CreateAsync("pushed", "IPSet", mode: "Disabled");
        Assert.Equal(PushStatus.Stored, (await PushAsync("pushed", """{"ips": ["99.99.99.99/32"]}""")).Status);
        Assert.Equal(["99.99.99.99"], await _host.IndicatorsAsync("pushed"));
    }

    [Fact]
    public async Task Deleting_the_document_empties_the_set()
    {
        await _host.CreateAsync("pushed", "IPSet");
        await PushAsync("pushed", """{"ips": ["99.99.99.99/32"]}""");
        Assert.Equal(PushStatus.Deleted, (await _host.Get<PushSet>().DeleteAsync("pushed", ContentKind.IPSet, Actor.Local, default)).Status);
        Assert.Empty(await _host.IndicatorsAsync("pushed"));
        Assert.Equal(PushStatus.Missing, (await _host.Get<PushSet>().DeleteAsync("pushed", ContentKind.IPSet, Actor.Local, default)).Status);
    }

    [Fact]
    public async Task A_document_that_waited_when_the_process_stopped_is_applied_at_its_start()
    {
        await PushAsync("later", """{"ips": ["99.99.99.99/32"]}""");
        await _host.DisposeAsync();
        // As if the process had been killed between the feed's creation and the push it waited for.
        await using (FeedsHost quiet = await FeedsHost.CreateAsync(_folder.Path))
        {
            await quiet.CreateAsync("later", "IPSet");
        }
        _host = await FeedsHost.CreateAsync(_folder.Path);
        Assert.Empty(await _host.IndicatorsAsync("later"));
        await _host.StartAsync();
        await FeedsHost.UntilAsync(async () => (await _host.IndicatorsAsync("later")).Count == 1);
    }

    [Fact]
    public async Task A_feed_created_between_the_look_for_it_and_the_wait_gets_the_document()
    {
        // Nobody listens for new feeds here: only the second look can find it.
        await using FeedsHost quiet = await FeedsHost.CreateAsync(_folder.Path);
        InterruptedContexts contexts = new(quiet.Get<IContextFactory>());
        var documents = new PushedDocuments(contexts);
        using var push = new PushSet(quiet.Get<FeedCatalog>(), quiet.Get<ListedSets>(), documents, quiet.Get<PushOutcomes>());
        // Locked, looked for before, then waited.
        contexts.Interrupt(3, () => quiet.CreateAsync("late", "IPSet"));
        const string text = """{"ips": ["99.99.99.99/32"]}""";
        PushResult result = await push.PushAsync("late", Documents.Of(ContentKind.IPSet, text), Actor.Local, default);
        Assert.True(contexts.Interrupted);
        Assert.Equal(PushStatus.Stored, result.Status);
        Assert.Equal(["99.99.99.99"], await quiet.IndicatorsAsync("late"));
        Assert.Empty(await documents.WaitingFeedsAsync(default));
    }

    [Fact]
    public async Task A_document_that_its_feed_cannot_use_waits_no_longer()
    {
        await PushAsync("later", """{"ips": ["99.99.99.99/32"]}""");
        await _host.CreateAsync("later", "DomainNameSet");
        await FeedsHost.UntilAsync(async () => (await _host.Get<PushedDocuments>().WaitingFeedsAsync(default)).Count == 0);
        Assert.Empty(await _host.IndicatorsAsync("later"));
    }

    [Fact]
    public async Task Versions_count_the_documents_of_one_content()
    {
        await _host.CreateAsync("pushed", "IPSet");
        await PushAsync("pushed", """{"ips": ["99.99.99.99/32"]}""");
        Assert.Equal(2, (await PushAsync("pushed", """{"ips": ["99.99.99.98/32"]}""")).Version);
        await _host.ReplaceAsync("pushed", "DomainNameSet");
        const string text = """{"domains": ["a.example"]}""";
        PushResult other = await _host.Get<PushSet>().PushAsync("pushed", Documents.Of(ContentKind.DomainNameSet, text), Actor.Local, default);
        Assert.Equal((PushStatus.Stored, 1L), (other.Status, other.Version));
    }

    [Fact]
    public async Task A_thousand_documents_may_wait_and_one_that_waits_may_be_replaced()
    {
        PushedDocuments documents = _host.Get<PushedDocuments>();
        await _host.AlterAsync(db =>
        {
            db.WaitingPushes.AddRange(Enumerable.Range(1, PushedDocuments.MaxWaiting - 1).Select(i => new WaitingPushRow { Feed = $"f{i}", Content = ContentKind.IPSet, Document = "{}" }));
            return Task.CompletedTask;
        });
        Assert.Equal(PushStatus.Waiting, (await PushAsync("last", """{"ips": ["99.99.99.99/32"]}""")).Status);
        Assert.Equal(PushStatus.TooManyWaiting, (await PushAsync("more", """{"ips": ["99.99.99.99/32"]}""")).Status);
        Assert.Equal(PushStatus.Waiting, (await PushAsync("last", """{"ips": ["99.99.99.98/32"]}""")).Status);
        Assert.Contains("99.99.99.98", (await documents.FindAsync("last", ContentKind.IPSet, default))!.Document);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Documents_that_wait_are_bounded_in_bytes_together(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        using var folder = new TemporaryFolder();
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path, postgres: provider == StorageProvider.Postgres ? database.ConnectionString : null);
        PushSet push = host.Get<PushSet>();
        const string document = """{"ips": ["99.99.99.99/32"]}""";
        host.Get<PushedDocuments>().MaxBytes = (2 * document.Length) + 1;
        Assert.Equal(PushStatus.Waiting, await StatusAsync("one"));
        Assert.Equal(PushStatus.Waiting, await StatusAsync("two"));
        Assert.Equal(PushStatus.TooManyWaiting, await StatusAsync("three"));
        // One that is written again counts once.
        Assert.Equal(PushStatus.Waiting, await StatusAsync("two"));
        Assert.Null(await host.Get<PushedDocuments>().FindAsync("three", ContentKind.IPSet, default));

        async Task<PushStatus> StatusAsync(string feed) => (await push.PushAsync(feed, Documents.Of(ContentKind.IPSet, document), Actor.Local, default)).Status;
    }

    [Fact]
    public async Task Deleting_a_document_of_the_other_index_leaves_the_set()
    {
        Feed feed = await _host.CreateAsync("pushed", "DomainNameSet");
        const string text = """{"domains": ["a.example"]}""";
        await _host.Get<PushSet>().PushAsync("pushed", Documents.Of(ContentKind.DomainNameSet, text), Actor.Local, default);
        // Whoever applies what waits may come first, and drops what the feed cannot use: then once more.
        await FeedsHost.UntilAsync(async () =>
        {
            await _host.AlterAsync(db =>
            {
                db.WaitingPushes.Add(new WaitingPushRow { Feed = "pushed", Content = ContentKind.IPSet, Document = "{}" });
                return Task.CompletedTask;
            });
            return (await _host.Get<PushSet>().DeleteAsync("pushed", ContentKind.IPSet, Actor.Local, default)).Status == PushStatus.Deleted;
        });
        Assert.Equal(["a.example"], await _host.IndicatorsAsync("pushed"));
        Assert.NotNull(await _host.Get<PushedDocuments>().FindAsync("pushed", ContentKind.DomainNameSet, default));
        Assert.DoesNotContain((await _host.Runs.ListAsync(feed, null, 100, default)).Items, r => r.Message?.Contains("was deleted", StringComparison.Ordinal) == true);
    }

    private Task<PushResult> PushAsync(string feed, string document) =>
        _host.Get<PushSet>().PushAsync(feed, Documents.Of(ContentKind.IPSet, document), Actor.Local, default);
}
