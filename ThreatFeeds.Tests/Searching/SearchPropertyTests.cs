using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>
/// Random feeds, logs, changes, retention, restarts and steps interrupted by other steps. When idle, every pair of a kept record and
/// a value listed now is a hit (Must), and every hit was listed at some time while its record was kept, or in a snapshot in use when
/// it arrived (May).
/// </summary>
public sealed class SearchPropertyTests
{
    internal static readonly string[] Names = ["a.example", "b.example", "x.b.example", "c.example", "d.c.example"];
    internal static readonly string[] Addresses = ["192.0.2.1", "192.0.2.9", "198.51.100.4"];
    private static readonly string[] Prefixes = ["192.0.2.1", "192.0.2.0/24", "192.0.2.0/28", "198.51.100.0/24"];
    private static readonly string[] FeedNames = ["one", "two", "three"];

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task When_idle_hits_lie_between_must_and_may(StorageProvider provider)
    {
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("THREATFEEDS_TEST_SEEDS"), out int more) ? more : provider == StorageProvider.Sqlite ? 12 : 6;
        for (int seed = 1; seed <= seeds; seed++)
        {
            try
            {
                await RunAsync(provider, seed);
            }
            catch (Exception problem)
            {
                throw new InvalidOperationException($"Seed {seed}: {problem.Message}", problem);
            }
        }
    }

    private static async Task RunAsync(StorageProvider provider, int seed)
    {
        var random = new Random(seed);
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        var truth = new Truth();
        for (int action = 0; action < 60; action++)
        {
            world.DuringRead = random.Next(3) == 0 ? () => OnceAsync(world, truth, random) : null;
            await ActAsync(world, truth, random, interrupting: false);
            if (random.Next(12) == 0)
            {
                await CheckAsync(world, truth);
            }
        }
        await CheckAsync(world, truth);
    }

    /// <summary>One action in the middle of a step; it is not interrupted itself.</summary>
    private static async Task OnceAsync(SearchWorld world, Truth truth, Random random)
    {
        world.DuringRead = null;
        await ActAsync(world, truth, random, interrupting: true);
    }

    private static async Task ActAsync(SearchWorld world, Truth truth, Random random, bool interrupting)
    {
        switch (random.Next(interrupting ? 12 : 14))
        {
            case 0 or 1:
                string[] names = Pick(random, Names, 4);
                await truth.RecordsAsync(world, LogKind.Dns, names, () => world.DnsAsync(names));
                break;
            case 2 or 3:
                string[] addresses = Pick(random, Addresses, 4);
                await truth.RecordsAsync(world, LogKind.Flow, addresses, () => world.FlowsAsync(addresses));
                break;
            case 4 or 5:
                await ChangeFeedAsync(world, truth, random);
                break;
            case 6:
                await ReplaceSetAsync(world, truth, random);
                break;
            case 7 or 8 or 9:
                await world.ForwardAsync(world.Logs.Sources[random.Next(2)]);
                break;
            case 10:
                await world.LookBack.StepAsync(world.Logs.Sources[random.Next(2)], default);
                break;
            case 11:
                world.Clock.Advance(TimeSpan.FromMinutes(random.Next(90)));
                break;
            case 12:
                await world.RestartAsync();
                break;
            default:
                world.Clock.Advance(TimeSpan.FromDays(1));
                world.RetentionOptions.RetentionDays = 2;
                world.RetentionOptions.MaxBytes = random.Next(2) == 0 ? random.Next(8000) : null;
                Dictionary<string, Position> passed = await PassedAsync(world);
                await world.RetainAsync();
                await truth.ForgetAsync(world, passed);
                break;
        }
    }

    /// <summary>Up to where every search of a source has come.</summary>
    private static async Task<Dictionary<string, Position>> PassedAsync(SearchWorld world)
    {
        await using ThreatFeedsContext db = world.Contexts.Create();
        List<LookBackRow> open = await db.LookBacks.AsNoTracking().ToListAsync();
        return (await db.Progress.AsNoTracking().ToListAsync()).ToDictionary(
            p => p.Source,
            p => open.Where(l => l.Source == p.Source).Select(l => new Position(l.DoneSegment, l.DoneOrdinal)).Append(new Position(p.MarkSegment, p.MarkOrdinal)).Min());
    }

    internal static async Task ChangeFeedAsync(SearchWorld world, Truth truth, Random random)
    {
        string feed = FeedNames[random.Next(FeedNames.Length)];
        if (random.Next(4) == 0)
        {
            await world.DeleteAsync(feed);
            truth.Feeds.Remove(feed);
        }
        else
        {
            string content = random.Next(2) == 0 ? "DomainNameSet" : "IPSet";
            bool enabled = random.Next(3) > 0;
            bool below = random.Next(2) == 0;
            await world.FeedAsync(feed, content, enabled ? "Enabled" : "Disabled", below);
            string[] set = truth.Feeds.TryGetValue(feed, out TrueFeed? before) && before.Content == content ? before.Set : [];
            truth.Feeds[feed] = new TrueFeed(content, enabled, below, set);
        }
        await truth.ChangedAsync(world);
        if (random.Next(2) == 0)
        {
            await ReplaceSetAsync(world, truth, random);
        }
    }

    internal static async Task ReplaceSetAsync(SearchWorld world, Truth truth, Random random)
    {
        if (truth.Feeds.Count == 0)
        {
            return;
        }
        (string feed, TrueFeed definition) = truth.Feeds.ElementAt(random.Next(truth.Feeds.Count));
        string[] all = definition.Content == "IPSet" ? Prefixes : [.. Names, "*.b.example"];
        string[] set = [.. all.Where(_ => random.Next(2) == 0)];
        await world.SetAsync(feed, set);
        truth.Feeds[feed] = definition with { Set = set };
        await truth.ChangedAsync(world);
    }

    internal static string[] Pick(Random random, string[] from, int most) => [.. Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => from[random.Next(from.Length)])];

    internal static async Task CheckAsync(SearchWorld world, Truth truth)
    {
        world.DuringRead = null;
        await world.SettleAsync();
        SearchState state = await world.States.GetAsync(default);
        Assert.True(state.Idle, "not idle after settling");
        Assert.Equal(truth.Dropped, state.Dropped);
        Assert.All(state.Sources, s => Assert.Equal(0, s.Behind));

        List<HitRow> hits = await world.HitsAsync();
        var found = hits.Select(h => (h.Source, new Position(h.Segment, h.Ordinal), h.Value)).ToHashSet();
        Assert.Equal(hits.Count, found.Count);
        foreach (TrueRecord record in truth.Records)
        {
            if (record.Kept && truth.IsListedNow(record))
            {
                Assert.True(found.Contains((record.Source, record.Position, record.Value)), $"missed {record.Value} at {record.Position}");
            }
        }
        Dictionary<(string, Position), TrueRecord> records = truth.Records.ToDictionary(r => (r.Source, r.Position));
        foreach (HitRow hit in hits)
        {
            Assert.True(records[(hit.Source, new Position(hit.Segment, hit.Ordinal))].May, $"{hit.Value} was never listed while it was kept");
        }
        await world.CheckCountsAsync();
    }
}
