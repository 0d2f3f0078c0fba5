using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Feeds;
using Xunit;

namespace ThreatFeeds.Tests.KubernetesShaped;

/// <summary>Changes that must not happen, or must be told apart from none.</summary>
public sealed class FeedChangeRoutesTests : IAsyncLifetime
{
    private const string Feeds = "globalthreatfeeds";
    private const string MergePatch = "application/merge-patch+json";
    private const string Minimal = "{apiVersion: projectcalico.org/v3, kind: GlobalThreatFeed, metadata: {name: a.b}, spec: {}}";
    private KubernetesServer _server = null!;

    public async Task InitializeAsync() => _server = await KubernetesServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("?dryRun=All", "{}")]
    [InlineData("", """{"dryRun":["All"]}""")]
    public async Task A_delete_that_is_only_tried_deletes_nothing(string query, string options)
    {
        await CreateAsync();
        (HttpStatusCode code, _, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b{query}", options, "application/json");
        Assert.Equal(HttpStatusCode.OK, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal(HttpStatusCode.OK, code);
    }

    [Theory]
    [InlineData("""{"preconditions":{"uid":"not-one-of-ours"}}""", HttpStatusCode.Conflict)]
    [InlineData("""{"preconditions":{"resourceVersion":"0"}}""", HttpStatusCode.Conflict)]
    [InlineData("""{"preconditions":{"uid":7}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"preconditions":{"resourceVersion":1}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"preconditions":"none"}""", HttpStatusCode.BadRequest)]
    public async Task A_delete_whose_precondition_fails_or_is_not_understood_deletes_nothing(string options, HttpStatusCode expected)
    {
        await CreateAsync();
        (HttpStatusCode code, _, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b", options, "application/json");
        Assert.Equal(expected, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal(HttpStatusCode.OK, code);
    }

    [Fact]
    public async Task A_patch_of_one_feed_that_names_another_changes_neither()
    {
        JsonObject one = await CreateAsync();
        JsonObject two = await CreateAsync(Minimal.Replace("a.b", "c", StringComparison.Ordinal));
        (HttpStatusCode code, JsonObject refused, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", """{"metadata":{"name":"c"},"spec":{"mode":"Disabled"}}""", MergePatch);
        Assert.Equal((HttpStatusCode)422, code);
        Assert.Contains("immutable", refused["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(Version(one), await VersionAsync("a.b"));
        Assert.Equal(Version(two), await VersionAsync("c"));
    }

    [Theory]
    [InlineData("POST", "")]
    [InlineData("PUT", "/a.b")]
    [InlineData("DELETE", "/a.b")]
    public async Task A_dry_run_that_is_not_known_is_refused(string method, string path)
    {
        await CreateAsync();
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(new HttpMethod(method), $"{Feeds}{path}?dryRun=Server", Minimal);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains("dryRun", body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_condition_that_changes_its_message_stays_one_and_no_time_goes_back()
    {
        JsonObject created = await CreateAsync();
        Guid uid = Guid.Parse(created["metadata"]!["uid"]!.GetValue<string>());
        var writer = _server.Services.GetRequiredService<FeedStatusWriter>();
        await writer.SetConditionAsync("a.b", uid, ConditionType.HitStorm, "503", default);
        await writer.SetConditionAsync("a.b", uid, ConditionType.HitStorm, "404", default);
        await writer.SyncedAsync("a.b", uid, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), default);
        await writer.SyncedAsync("a.b", uid, new DateTimeOffset(2026, 1, 1, 3, 4, 5, TimeSpan.Zero), default);
        (_, JsonObject read, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal("""{"lastSuccessfulSync":"2026-01-02T03:04:05Z","errorConditions":[{"type":"HitStorm","message":"404"}]}""", read["status"]!.ToJsonString());
    }

    [Fact]
    public async Task A_change_of_annotations_alone_is_a_change()
    {
        JsonObject created = await CreateAsync();
        (_, JsonObject patched, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", """{"metadata":{"annotations":{"note":"x"}}}""", MergePatch);
        Assert.NotEqual(Version(created), Version(patched));
        Assert.Equal("x", patched["metadata"]!["annotations"]!["note"]!.GetValue<string>());
        Assert.Equal(1, patched["metadata"]!["generation"]!.GetValue<int>());
    }

    private async Task<JsonObject> CreateAsync(string manifest = Minimal)
    {
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, manifest);
        Assert.True(code == HttpStatusCode.Created, body.ToJsonString());
        return body;
    }

    private async Task<string> VersionAsync(string name)
    {
        (_, JsonObject feed, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/{name}");
        return Version(feed);
    }

    private static string Version(JsonObject feed) => feed["metadata"]!["resourceVersion"]!.GetValue<string>();
}
