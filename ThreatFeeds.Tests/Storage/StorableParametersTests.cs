using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pushing;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Storage;

/// <summary>Text from outside may hold what PostgreSQL's text cannot; neither what is stored nor what is looked for fails by it.</summary>
public sealed class StorableParametersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public async Task Text_that_the_database_cannot_hold_is_stored_with_its_escapes_and_found()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using ThreatFeedsContext db = database.Factory.Create();
        string[] odd = ["a\0b", "a\ud800b", "a\udc00"];
        foreach (string text in odd)
        {
            db.GoneSources.Add(new GoneSourceRow { Source = text, Kind = LogKind.Dns });
        }
        await db.SaveChangesAsync();
        Assert.Equal(["a\\u0000b", "a\\ud800b", "a\\udc00"], (await db.GoneSources.AsNoTracking().Select(g => g.Source).ToListAsync()).Order(StringComparer.Ordinal));
        string one = odd[0];
        Assert.True(await db.GoneSources.AnyAsync(g => g.Source == one));
        Assert.Equal(3, await db.GoneSources.CountAsync(g => odd.Contains(g.Source)));
        Assert.Equal(1, await db.Database.ExecuteSqlAsync($"DELETE FROM gone_sources WHERE \"Source\" = {one}"));
        await db.InsertManyAsync("gone_sources", ["Source", "Kind", "GoneAt"], [[one, "dns", DateTime.UnixEpoch.ToUniversalTime()]], "", default);
        Assert.Equal(3, await db.GoneSources.CountAsync());
    }

    [PostgresFact]
    public async Task A_pushed_entry_with_a_nul_is_refused_and_the_run_says_so()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Postgres);
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path, postgres: database.ConnectionString);
        Feed feed = await host.CreateAsync("one", "IPSet");
        Assert.Equal(PushStatus.Unusable, (await PushAsync("one")).Status);
        Assert.Contains("a\\u0000b", Assert.Single((await host.Runs.ListAsync(feed, null, 5, default)).Items).Message);
        // Nor is a name of a feed that no feed can have a failure of ours.
        Assert.Equal(PushStatus.Unusable, (await PushAsync("no\0ne")).Status);

        Task<PushResult> PushAsync(string name) => host.Get<PushSet>().PushAsync(name, Documents.Of(ContentKind.IPSet, """{"ips": ["a\u0000b"]}"""), Actor.Local, default);
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("a\u001bb")]
    [InlineData("a\u0085b")]
    public async Task A_column_name_with_a_control_character_is_refused_by_its_path(string name)
    {
        await using FeedsHost host = await FeedsHost.CreateAsync(_folder.Path);
        JsonObject manifest = FeedsHost.Manifest("one", "DomainNameSet", "https://feeds.example/names");
        manifest["spec"]!["pull"]!["http"]!["format"] = new JsonObject { ["csv"] = new JsonObject { ["fieldName"] = name, ["header"] = true } };
        var refused = Assert.IsType<FeedChangeResult.Invalid>(await host.Get<FeedChanges>().CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default));
        FeedProblem problem = Assert.Single(refused.Problems);
        Assert.Equal("spec.pull.http.format.csv.fieldName", problem.Path);
        Assert.DoesNotContain(name, problem.Message);
    }
}
