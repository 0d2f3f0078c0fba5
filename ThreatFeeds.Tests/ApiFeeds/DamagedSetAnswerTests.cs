using System.Net;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.ApiFeeds;

/// <summary>What clients are told of a feed whose stored set is damaged, and that other feeds answer all the same.</summary>
public sealed class DamagedSetAnswerTests
{
    [Theory]
    [InlineData("a chunk lost")]
    [InlineData("bytes changed")]
    [InlineData("the row lost")]
    public async Task It_is_named_with_the_way_out_and_the_others_still_answer(string damage)
    {
        using var folder = new TemporaryFolder();
        await using (AppFixture app = await AppFixture.StartAsync(TimeProvider.System, folder.Path))
        {
            await app.PushNamesAsync("spoiled", "bad.example", "worse.example");
            await app.PushNamesAsync("whole", "bad.example", "other.example");
            await app.IdleAsync();
            await app.DamageAsync("spoiled", damage);
            // What is searched with was read before: the value is still known to be listed, since when is not.
            await AssertDamagedAsync(app);
            JsonNode known = await GetAsync(app, "/v1/indicators/bad.example");
            Assert.Equal(["spoiled", "whole"], known["feeds"]!.AsArray().Select(f => f!["feed"]!.GetValue<string>()));
            Assert.Equal((true, false), (known["feeds"]![0]!["since"] is null, known["feeds"]![1]!["since"] is null));
            Assert.Equal("spoiled", Assert.Single(known["damaged"]!.AsArray())!["feed"]!.GetValue<string>());
            Assert.Equal(1, (await GetAsync(app, "/v1/feeds/whole/statistics"))["overlap"]![0]!["count"]!.GetValue<int>());
        }
        await using (AppFixture app = await AppFixture.StartAsync(TimeProvider.System, folder.Path))
        {
            await AssertDamagedAsync(app);
            JsonNode listed = await GetAsync(app, "/v1/indicators/bad.example");
            Assert.Equal("whole", Assert.Single(listed["feeds"]!.AsArray())!["feed"]!.GetValue<string>());
            JsonNode damaged = Assert.Single(listed["damaged"]!.AsArray())!;
            Assert.Equal("spoiled", damaged["feed"]!.GetValue<string>());
            AssertSaysWhatToDo(damaged["problem"]!.GetValue<string>());
            // No feed of names lists an address.
            Assert.Empty((await GetAsync(app, "/v1/indicators/192.0.2.1"))["damaged"]!.AsArray());
            JsonNode figures = await GetAsync(app, "/v1/feeds/whole/statistics");
            Assert.Equal((2, 0), (figures["indicators"]!.GetValue<int>(), figures["overlap"]!.AsArray().Count));
            Assert.Equal("spoiled", Assert.Single(figures["notCompared"]!.AsArray())!["feed"]!.GetValue<string>());
            Assert.Equal(2, (await GetAsync(app, "/v1/feeds/whole/indicators"))["items"]!.AsArray().Count);

            // The way out that they were told.
            await app.PushNamesAsync("spoiled", "bad.example", "worse.example");
            Assert.Equal(2, (await GetAsync(app, "/v1/feeds/spoiled/indicators"))["items"]!.AsArray().Count);
            Assert.Equal(1, (await GetAsync(app, "/v1/feeds/spoiled/statistics"))["unique"]!.GetValue<int>());
            Assert.Empty((await GetAsync(app, "/v1/indicators/worse.example"))["damaged"]!.AsArray());
        }
    }

    [Fact]
    public async Task A_pull_of_the_same_body_mends_what_was_noticed_by_reading_a_page_of_it()
    {
        using var folder = new TemporaryFolder();
        await using HostileServer server = await HostileServer.TextAsync("bad.example\nworse.example\n");
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path);
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        await host.PullAsync(feed);
        await host.AlterAsync(async db => (await db.SetChunks.SingleAsync()).Data = [1, 2, 3]);
        await Assert.ThrowsAsync<DamagedSetException>(() => host.IndicatorsAsync("names"));
        Assert.Equal(RunOutcome.Replaced, (await host.PullAsync(feed)).Outcome);
        Assert.Equal(["bad.example", "worse.example"], await host.IndicatorsAsync("names"));
    }

    private static async Task AssertDamagedAsync(AppFixture app)
    {
        // Statistics compare what is in memory; they say what somebody who read the stored set has found.
        foreach (string path in new[] { "indicators", "indicators?q=bad", "statistics" })
        {
            using HttpResponseMessage answer = await app.Client.GetAsync($"/v1/feeds/spoiled/{path}");
            JsonNode problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.Equal((path, HttpStatusCode.Conflict, "set-damaged"), (path, answer.StatusCode, problem["code"]!.GetValue<string>()));
            AssertSaysWhatToDo(problem["detail"]!.GetValue<string>());
        }
    }

    private static void AssertSaysWhatToDo(string text)
    {
        Assert.Contains("feed spoiled is damaged", text, StringComparison.Ordinal);
        Assert.Contains("Pull or push the feed once more", text, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> GetAsync(AppFixture app, string path)
    {
        using HttpResponseMessage answer = await app.Client.GetAsync(path);
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode} {body}");
        return JsonNode.Parse(body)!;
    }
}

/// <summary>Sets pushed into the process, and spoiled behind its back.</summary>
internal static class SpoiledSets
{
    /// <summary>Creates the feed where it is not there yet, and pushes its set.</summary>
    public static async Task PushNamesAsync(this AppFixture app, string feed, params string[] names)
    {
        string manifest = $$$"""{"apiVersion":"projectcalico.org/v3","kind":"GlobalThreatFeed","metadata":{"name":"{{{feed}}}"},"spec":{"content":"DomainNameSet"}}""";
        using HttpResponseMessage made = await app.SendAsync(HttpMethod.Post, "/apis/projectcalico.org/v3/globalthreatfeeds", manifest, "application/json");
        Assert.True(made.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict);
        var body = new JsonObject { ["domains"] = new JsonArray([.. names.Select(n => (JsonNode)n)]) };
        using HttpResponseMessage pushed = await app.SendAsync(HttpMethod.Put, $"/elasticsearch/.tigera.domainnameset.cluster/_doc/{feed}", body.ToJsonString(), "application/json");
        Assert.True(pushed.IsSuccessStatusCode, await pushed.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until everything is searched with what is listed now.</summary>
    public static Task IdleAsync(this AppFixture app) =>
        FeedsHost.UntilAsync(async () => JsonNode.Parse(await app.Client.GetStringAsync("/v1/searches"))!["idle"]!.GetValue<bool>());

    public static async Task DamageAsync(this AppFixture app, string feed, string damage)
    {
        await using ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create();
        long id = (await db.Listings.SingleAsync(l => l.Feed == feed)).SetId!.Value;
        SetChunkRow chunk = await db.SetChunks.SingleAsync(c => c.SetId == id);
        if (damage == "bytes changed")
        {
            chunk.Data = [.. chunk.Data.Select(b => (byte)~b)];
        }
        else
        {
            db.SetChunks.Remove(chunk);
        }
        if (damage == "the row lost")
        {
            db.StoredSets.Remove(await db.StoredSets.SingleAsync(s => s.Id == id));
        }
        await db.SaveChangesAsync();
    }
}
