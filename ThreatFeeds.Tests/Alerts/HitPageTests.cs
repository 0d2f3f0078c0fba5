using System.Globalization;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

/// <summary>A page of hits is bounded in bytes: records may be long, and many hits may stand in one.</summary>
public sealed class HitPageTests
{
    private const int Long = 1_000_000;
    private const int OnPage = AlertQueries.MostRecordBytes / Long;

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task A_record_that_opens_many_alerts_is_copied_to_a_bounded_number_of_them(StorageProvider provider)
    {
        const int names = 80;
        const int length = 900_000;
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        string[] listed = [.. Enumerable.Range(0, names).Select(i => $"n{i}.example")];
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", listed);
        string answer = $$"""{"name":"good.example","class":"IN","type":"CNAME","rdata":["{{string.Join("\",\"", listed)}}"]}""";
        await world.LinesAsync(LogKind.Dns, world.Dns("good.example").Replace("\"rrsets\":[]", $"\"rrsets\":[{answer}],\"pad\":\"{new string('x', length)}\"", StringComparison.Ordinal));
        await world.SettleAsync();
        Assert.Equal(names, (await world.AlertsAsync()).Count);
        await world.CheckCountsAsync();
        await using ThreatFeedsContext db = world.Contexts.Create();
        long copied = await db.AlertSamples.SumAsync(s => (long)s.Record.Length);
        Assert.InRange(copied, AlertSamples.MaxBytes - (2 * length), AlertSamples.MaxBytes);
        // The others show it for as long as it is kept.
        var alerts = new AlertQueries(world.Contexts, world.Logs);
        foreach (AlertRow alert in await world.AlertsAsync())
        {
            Assert.NotNull((await alerts.HitsAsync(alert.Id.ToString(CultureInfo.InvariantCulture), null, 10, default))!.Items.Single().Record);
        }
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Pages_of_long_records_end_early_and_give_each_hit_once(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        for (int i = 0; i < 30; i++)
        {
            // Every third time comes twice.
            world.Clock.Advance(TimeSpan.FromSeconds(i % 3 == 0 ? 0 : 1));
            await world.LinesAsync(LogKind.Dns, i < 24 ? Padded(world.Dns("bad.example")) : world.Dns("bad.example"));
        }
        await world.SettleAsync();

        // The newest six are short.
        await CheckAsync(world, kept: 30, [6 + OnPage, OnPage, OnPage]);

        // The first and last ten outlive their records.
        world.RetentionOptions.RetentionDays = 1;
        world.Clock.Advance(TimeSpan.FromDays(3));
        await world.DnsAsync("good.example");
        await world.SettleAsync();
        await world.RetainAsync();
        await CheckAsync(world, kept: 20, [6 + 4 + 10 + OnPage - 4, 10 - (OnPage - 4)]);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Many_hits_in_one_long_record_are_as_many_records_on_the_page(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "*.bad.example");
        string sets = string.Join(',', Enumerable.Range(0, 20).Select(i => $"{{\"name\":\"n{i}.bad.example\",\"rdata\":[]}}"));
        await world.LinesAsync(LogKind.Dns, Padded(world.Dns("good.example").Replace("\"rrsets\":[]", $"\"rrsets\":[{sets}]", StringComparison.Ordinal)));
        await world.SettleAsync();

        await CheckAsync(world, kept: 20, [OnPage, OnPage, 20 - (2 * OnPage)]);
        Assert.Equal(OnPage, (await new AlertQueries(world.Contexts, world.Logs).LastHitsAsync("n1.bad.example", 20, default)).Count * OnPage);
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task The_last_hits_of_a_value_are_bounded_in_bytes_too(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("one", "DomainNameSet");
        await world.SetAsync("one", "bad.example");
        await world.LinesAsync(LogKind.Dns, [.. Enumerable.Repeat(Padded(world.Dns("bad.example")), 12)]);
        await world.SettleAsync();

        Assert.Equal(OnPage, (await new AlertQueries(world.Contexts, world.Logs).LastHitsAsync("bad.example", 20, default)).Count);
    }

    /// <param name="kept">Hits whose record is there.</param>
    /// <param name="pages">Hits on each page.</param>
    private static async Task CheckAsync(SearchWorld world, int kept, int[] pages)
    {
        var logs = new InterruptedReads(world.Logs, () => null, _ => false);
        var queries = new AlertQueries(world.Contexts, logs);
        string id = Assert.Single(await world.AlertsAsync()).Id.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var seen = new List<HitView>();
        var sizes = new List<int>();
        string? after = null;
        do
        {
            Page<HitView> page = (await queries.HitsAsync(id, after, 500, default))!;
            Assert.InRange(page.Items.Sum(h => h.Record?.GetRawText().Length ?? 0), 0, AlertQueries.MostRecordBytes);
            seen.AddRange(page.Items);
            sizes.Add(page.Items.Count);
            after = page.Next;
            Assert.True(sizes.Count < 20, "pages repeat");
        }
        while (after is not null);
        Assert.Equal((await world.HitsAsync()).Count, seen.Select(h => h.Id).Distinct().Count());
        Assert.Equal(seen.Count, seen.Select(h => h.Id).Distinct().Count());
        Assert.Equal(seen.Select(h => h.Time).OrderDescending(), seen.Select(h => h.Time));
        Assert.Equal(kept, seen.Count(h => h.Record is not null));
        Assert.Equal(pages, sizes);
        Assert.Equal(AlertQueries.MostRecordBytes, logs.MostBytesFound);
    }

    private static string Padded(string line) =>
        line.Replace("\"type\"", $"\"pad\":\"{new string('x', Long - line.Length - "\"pad\":\"\",".Length)}\",\"type\"", StringComparison.Ordinal);
}
