using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Tests.Embedded;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>Records that went before every search had passed them are counted, each once, and nothing waits for them.</summary>
public sealed class DroppedTests
{
    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Records_deleted_for_size_before_the_forward_search_are_dropped_before_and_after_it(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("bad", "DomainNameSet");
        await world.SetAsync("bad", "bad.example");
        await world.DnsAsync("a.example", "b.example", "bad.example");
        world.RetentionOptions.MaxBytes = 10;
        await world.RetainAsync();
        Assert.Equal(3, (await world.States.GetAsync(default)).Dropped);
        await world.SettleAsync();
        Assert.Equal(3, (await world.States.GetAsync(default)).Dropped);
        await world.RestartAsync();
        SearchState state = await world.States.GetAsync(default);
        Assert.Equal(3, state.Dropped);
        Assert.True(state.Idle);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Records_deleted_that_a_look_back_still_needed_are_dropped(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("bad", "DomainNameSet");
        await world.SetAsync("bad", "other.example");
        await world.DnsAsync("a.example", "b.example", "bad.example", "c.example", "d.example");
        await world.SettleAsync();
        LogSource dns = world.Logs.Sources.First(s => s.Kind == LogKind.Dns);
        await world.SetAsync("bad", "bad.example");
        await world.ForwardAsync(dns);
        // Two of five were looked back at.
        await world.LookBack.StepAsync(dns, default);
        world.RetentionOptions.MaxBytes = 10;
        await world.RetainAsync();
        await world.RestartAsync();
        Assert.Equal(3, (await world.States.GetAsync(default)).Dropped);
        await world.SettleAsync();
        SearchState state = await world.States.GetAsync(default);
        Assert.Equal(3, state.Dropped);
        Assert.True(state.Idle);
        Assert.Empty(state.LookBacks);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Searched_records_deleted_for_size_are_not_dropped(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("bad", "DomainNameSet");
        await world.SetAsync("bad", "bad.example");
        await world.DnsAsync("a.example", "bad.example");
        await world.SettleAsync();
        world.RetentionOptions.MaxBytes = 10;
        await world.RetainAsync();
        Assert.Equal(0, (await world.States.GetAsync(default)).Dropped);
        // What a change adds later looks back at what is kept.
        await world.SetAsync("bad", "a.example");
        await world.SettleAsync();
        Assert.Equal(0, (await world.States.GetAsync(default)).Dropped);
        Assert.Single(await world.HitsAsync());
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task After_damage_a_look_back_ends_and_what_is_gone_is_dropped_once(StorageProvider provider)
    {
        var disk = new ForgetfulFiles(1);
        await using SearchWorld world = await SearchWorld.CreateAsync(provider, disk);
        await world.FeedAsync("bad", "DomainNameSet");
        await world.SetAsync("bad", "other.example");
        await world.DnsAsync("a.example", "bad.example");
        await world.DnsAsync("b.example", "c.example");
        await world.SettleAsync();
        await world.SetAsync("bad", "bad.example");
        await world.ForwardAsync(world.Logs.Sources.First(s => s.Kind == LogKind.Dns));
        disk.Kill();
        disk.Cut("1.seg", length => length - 100);
        await world.RestartAsync();
        await world.SettleAsync();
        for (int round = 0; round < 2; round++)
        {
            SearchState state = await world.States.GetAsync(default);
            Assert.Equal(2, state.Dropped);
            Assert.True(state.Idle);
            Assert.Empty(state.LookBacks);
            await world.RestartAsync();
        }
        Assert.Single(await world.HitsAsync());
    }
}
