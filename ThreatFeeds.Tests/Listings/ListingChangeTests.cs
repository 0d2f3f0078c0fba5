using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Indicators;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Listings;

/// <summary>What makes a generation, what is remembered of it, and who of two writers wins.</summary>
public sealed class ListingChangeTests : IAsyncLifetime
{
    private SearchWorld _world = null!;

    public async Task InitializeAsync() => _world = await SearchWorld.CreateAsync(StorageProvider.Sqlite);

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task A_set_that_only_shrinks_makes_a_generation_and_adds_nothing()
    {
        await ListAsync("one", "a.example", "b.example");
        await _world.SetAsync("one", "a.example");
        ListingChangeRow last = await LastAsync();
        Assert.Equal((2L, ListingReason.Set, 0L, null), (last.Generation, last.Reason, last.Added, last.AddedSetId));
        Assert.False((await _world.Snapshots.RefreshAsync(default)).Index.TryMatchName("b.example"u8, out _));
    }

    [Fact]
    public async Task Widening_to_subdomains_adds_the_whole_set_and_narrowing_adds_nothing()
    {
        await ListAsync("one", "a.example", "b.example");
        await _world.FeedAsync("one", "DomainNameSet", below: true);
        ListingChangeRow wide = await LastAsync();
        Assert.Equal((2L, ListingReason.Matching, 2L), (wide.Generation, wide.Reason, wide.Added));
        Assert.True((await AddedAsync(2))!.TryMatchName("x.a.example"u8, out _));
        await _world.FeedAsync("one", "DomainNameSet");
        ListingChangeRow narrow = await LastAsync();
        Assert.Equal((3L, ListingReason.Matching, 0L, null), (narrow.Generation, narrow.Reason, narrow.Added, narrow.AddedSetId));
        Assert.False((await _world.Snapshots.RefreshAsync(default)).Index.TryMatchName("x.a.example"u8, out _));
    }

    [Fact]
    public async Task A_feed_deleted_or_of_another_content_is_listed_no_more()
    {
        await ListAsync("one", "a.example");
        await _world.FeedAsync("one", "IPSet");
        Assert.Equal((2L, ListingReason.Content), ((await LastAsync()).Generation, (await LastAsync()).Reason));
        Assert.Null((await ListingAsync("one")).SetId);
        Assert.Empty((await _world.Snapshots.RefreshAsync(default)).Feeds);

        await ListAsync("two", "a.example");
        await _world.Feeds.DeleteAsync("two", ThreatFeeds.Resources.ResourcePrecondition.None, ThreatFeeds.Feeds.FeedChangeOptions.Default, ThreatFeeds.Actors.Actor.Local, default);
        Assert.Equal((4L, ListingReason.Deleted), ((await LastAsync()).Generation, (await LastAsync()).Reason));
        Assert.Empty((await _world.Snapshots.RefreshAsync(default)).Feeds);
    }

    [Fact]
    public async Task The_set_of_a_disabled_feed_makes_no_generation_and_is_not_searched_for()
    {
        await ListAsync("one", "a.example");
        await _world.FeedAsync("one", "DomainNameSet", mode: "Disabled");
        await _world.SetAsync("one", "a.example", "b.example");
        Assert.Equal((2L, ListingReason.Disabled), ((await LastAsync()).Generation, (await LastAsync()).Reason));
        Assert.Empty((await _world.Snapshots.RefreshAsync(default)).Feeds);
        Assert.Null(await AddedAsync(1));
    }

    [Fact]
    public async Task A_set_of_another_content_than_the_feeds_is_not_taken()
    {
        await _world.FeedAsync("one", "IPSet");
        Assert.Null(await _world.Sets.ReplaceAsync(await FeedAsync("one"), Names("a.example"), Source, default));
        Assert.Null((await ListingAsync("one")).SetId);
    }

    [Fact]
    public async Task Listeners_hear_of_a_set_that_was_replaced_and_not_of_one_that_stayed()
    {
        await _world.FeedAsync("one", "DomainNameSet");
        int heard = 0;
        _world.Listings.ListingChanged += () => heard++;
        await _world.SetAsync("one", "a.example");
        Assert.Equal(1, heard);
        await _world.SetAsync("one", "a.example");
        Assert.Equal(1, heard);
    }

    [Fact]
    public async Task Of_two_writers_the_second_replaces_what_the_first_wrote_and_not_what_it_saw()
    {
        await ListAsync("one", "a.example");
        InterruptedContexts contexts = new(_world.Contexts);
        // After the set now current was read, before the new one is written.
        contexts.Interrupt(3, () => _world.SetAsync("one", "a.example", "b.example"));
        SetChange? change = await Sets(contexts).ReplaceAsync(await FeedAsync("one"), Names("a.example", "b.example", "c.example"), Source, default);
        Assert.True(contexts.Interrupted);
        Assert.Equal(new SetChange(RunOutcome.Replaced, 1, 0), change);
        ListingChangeRow last = await LastAsync();
        Assert.Equal((3L, 1L), (last.Generation, last.Added));
        Assert.False((await AddedAsync(3))!.TryMatchName("b.example"u8, out _));
    }

    [Fact]
    public async Task A_set_read_for_a_content_that_the_feed_has_no_more_is_dropped()
    {
        await _world.FeedAsync("one", "DomainNameSet");
        Feed feed = await FeedAsync("one");
        InterruptedContexts contexts = new(_world.Contexts);
        contexts.Interrupt(2, () => _world.FeedAsync("one", "IPSet"));
        Assert.Null(await Sets(contexts).ReplaceAsync(feed, Names("a.example"), Source, default));
        Assert.True(contexts.Interrupted);
        Assert.Null((await ListingAsync("one")).SetId);
    }

    [Fact]
    public async Task A_snapshot_holds_what_its_generation_says_though_a_set_is_replaced_meanwhile()
    {
        await ListAsync("one", "a.example");
        InterruptedContexts contexts = new(_world.Contexts);
        contexts.Interrupt(2, () => _world.SetAsync("one", "b.example"));
        using var snapshots = new Snapshots(contexts, new StoredSets(contexts, _world.Clock));
        Snapshot snapshot = await snapshots.RefreshAsync(default);
        Assert.True(contexts.Interrupted);
        Assert.Equal(2, snapshot.Generation);
        Assert.True(snapshot.Index.TryMatchName("b.example"u8, out _));
    }

    [Fact]
    public async Task A_change_is_remembered_until_the_slowest_source_has_passed_it_and_looked_back()
    {
        await ListAsync("one", "a.example");
        await _world.SetAsync("one", "b.example");
        await _world.SetAsync("one", "c.example");
        await using ThreatFeedsContext db = _world.Contexts.Create();
        db.Progress.Add(new ProgressRow { Source = "fast", Generation = 3 });
        db.Progress.Add(new ProgressRow { Source = "slow", Generation = 2 });
        db.LookBacks.Add(new LookBackRow { Source = "fast", Generation = 1 });
        await db.SaveChangesAsync();
        Assert.Equal(1, await _world.Listings.SweepAsync(default));
        Assert.Equal([1L, 3L], await db.ListingChanges.Select(c => c.Generation).Order().ToListAsync());
    }

    private static SetSource Source { get; } = new("digest", "", null, null);

    private static IndicatorSet Names(params string[] names)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        foreach (string name in names)
        {
            Assert.True(IndicatorText.TryEncode(ContentKind.DomainNameSet, name, out byte[] encoded));
            builder.Add(encoded);
        }
        return builder.Build();
    }

    private ListedSets Sets(IContextFactory contexts) => new(contexts, new StoredSets(contexts, _world.Clock), _world.Listings);

    private async Task ListAsync(string name, params string[] names)
    {
        await _world.FeedAsync(name, "DomainNameSet");
        await _world.SetAsync(name, names);
    }

    private async Task<Feed> FeedAsync(string name) => (await _world.Catalog.FindAsync(name, default))!.Feed;

    private Task<IndicatorIndex?> AddedAsync(long generation) => new AddedEntries(_world.Contexts, _world.Stored).LoadAsync([generation], default);

    private async Task<ListingRow> ListingAsync(string name)
    {
        await using ThreatFeedsContext db = _world.Contexts.Create();
        return await db.Listings.SingleAsync(l => l.Feed == name);
    }

    private async Task<ListingChangeRow> LastAsync()
    {
        await using ThreatFeedsContext db = _world.Contexts.Create();
        return await db.ListingChanges.OrderByDescending(c => c.Generation).FirstAsync();
    }
}
