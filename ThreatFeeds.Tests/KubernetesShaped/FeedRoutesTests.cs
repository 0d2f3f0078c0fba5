using System.Net;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.KubernetesShaped;

public sealed class FeedRoutesTests : IAsyncLifetime
{
    private const string Feeds = "globalthreatfeeds";
    private const string MergePatch = "application/merge-patch+json";
    private const string Minimal = "{apiVersion: projectcalico.org/v3, kind: GlobalThreatFeed, metadata: {name: a.b}, spec: {}}";
    private KubernetesServer _server = null!;

    public async Task InitializeAsync() => _server = await KubernetesServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    private async Task<JsonObject> CreateAsync(string manifest = Minimal)
    {
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, manifest);
        Assert.True(code == HttpStatusCode.Created, body.ToJsonString());
        return body;
    }

    private static string Version(JsonObject feed) => feed["metadata"]!["resourceVersion"]!.GetValue<string>();

    [Fact]
    public async Task The_period_of_a_pull_is_shown_when_none_was_written_and_as_written_otherwise()
    {
        JsonObject without = await CreateAsync(Minimal.Replace("spec: {}", "spec: {pull: {http: {url: 'https://feeds.example/list'}}}", StringComparison.Ordinal));
        Assert.Equal("24h", (string?)without["spec"]!["pull"]!["period"]);
        JsonObject with = await CreateAsync(Minimal.Replace("name: a.b", "name: c", StringComparison.Ordinal)
            .Replace("spec: {}", "spec: {pull: {period: 90m, http: {url: 'https://feeds.example/list'}}}", StringComparison.Ordinal));
        Assert.Equal("90m", (string?)with["spec"]!["pull"]!["period"]);
    }

    [Fact]
    public async Task A_feed_is_created_read_listed_and_deleted()
    {
        JsonObject created = await CreateAsync();
        Assert.Equal("""{"content":"IPSet","mode":"Enabled","feedType":"Custom"}""", created["spec"]!.ToJsonString());
        Assert.True(Guid.TryParse(created["metadata"]!["uid"]!.GetValue<string>(), out _));
        Assert.EndsWith("Z", created["metadata"]!["creationTimestamp"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(1, created["metadata"]!["generation"]!.GetValue<int>());

        (_, JsonObject read, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.True(JsonNode.DeepEquals(created, read));
        (_, JsonObject status, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b/status");
        Assert.True(JsonNode.DeepEquals(created, status));
        (_, JsonObject list, _) = await _server.SendAsync(HttpMethod.Get, Feeds);
        Assert.Equal("GlobalThreatFeedList", list["kind"]!.GetValue<string>());
        Assert.Single(list["items"]!.AsArray());

        (HttpStatusCode code, JsonObject deleted, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b");
        Assert.Equal((HttpStatusCode.OK, "Success"), (code, deleted["status"]!.GetValue<string>()));
        (code, JsonObject gone, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal((HttpStatusCode.NotFound, "NotFound"), (code, gone["reason"]!.GetValue<string>()));
        Assert.Equal("""{"name":"a.b","group":"projectcalico.org","kind":"globalthreatfeeds"}""", gone["details"]!.ToJsonString());
    }

    [SharedDataFact]
    public async Task Every_manifest_of_the_documentation_can_be_posted_as_it_stands()
    {
        foreach (string file in Directory.GetFiles(SharedData.PathOf("vectors/globalthreatfeed/docs"), "*-threatfeed-*.yaml"))
        {
            (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds + "?dryRun=All", await File.ReadAllTextAsync(file), null);
            Assert.True(code == HttpStatusCode.Created, body.ToJsonString());
        }
        (_, JsonObject list, _) = await _server.SendAsync(HttpMethod.Get, Feeds);
        Assert.Empty(list["items"]!.AsArray());
    }

    [Fact]
    public async Task Three_mistakes_are_three_causes_with_their_paths()
    {
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, """
            {"apiVersion":"projectcalico.org/v3","kind":"GlobalThreatFeed","metadata":{"name":"x"},
             "spec":{"content":"URLSet","pull":{"period":"1d","http":{"url":"https://a.example/","headers":[{"name":"Key"}]}}}}
            """, "application/json");
        Assert.Equal((HttpStatusCode)422, code);
        Assert.Equal("Invalid", body["reason"]!.GetValue<string>());
        Assert.Equal(422, body["code"]!.GetValue<int>());
        JsonArray causes = body["details"]!["causes"]!.AsArray();
        Assert.Equal(["spec.content", "spec.pull.period", "spec.pull.http.headers[0]"], causes.Select(c => c!["field"]!.GetValue<string>()));
        Assert.Equal(["FieldValueNotSupported", "FieldValueInvalid", "FieldValueRequired"], causes.Select(c => c!["reason"]!.GetValue<string>()));
        Assert.StartsWith("GlobalThreatFeed.projectcalico.org \"x\" is invalid: [spec.content: ", body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n  \"a\": tru\n}", "application/json", "line 2, column 11")]
    [InlineData("a:\n  - b\n c: d", "application/yaml", "line 3")]
    [InlineData("a: *b", null, "line 1, column 4")]
    public async Task Malformed_text_is_answered_with_line_and_column(string text, string? type, string words)
    {
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, text, type);
        Assert.Equal((HttpStatusCode.BadRequest, "BadRequest"), (code, body["reason"]!.GetValue<string>()));
        Assert.Contains(words, body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_write_is_a_conflict_and_one_without_a_version_replaces()
    {
        JsonObject first = await CreateAsync();
        JsonObject edited = first.DeepClone().AsObject();
        edited["spec"]!["mode"] = "Disabled";
        (HttpStatusCode code, JsonObject second, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/a.b", edited.ToJsonString(), "application/json");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal(2, second["metadata"]!["generation"]!.GetValue<int>());
        Assert.NotEqual(Version(first), Version(second));

        (code, JsonObject stale, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/a.b", first.ToJsonString(), "application/json");
        Assert.Equal((HttpStatusCode.Conflict, "Conflict"), (code, stale["reason"]!.GetValue<string>()));
        Assert.Contains("the object has been modified", stale["message"]!.GetValue<string>(), StringComparison.Ordinal);

        (code, _, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/a.b", Minimal);
        Assert.Equal(HttpStatusCode.OK, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/a.b", Minimal.Replace("a.b", "a.b, uid: another", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Conflict, code);
        (code, JsonObject twice, _) = await _server.SendAsync(HttpMethod.Post, Feeds, Minimal);
        Assert.Equal((HttpStatusCode.Conflict, "AlreadyExists"), (code, twice["reason"]!.GetValue<string>()));
        (code, _, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/c", Minimal.Replace("a.b", "c", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Put, $"{Feeds}/a.b", Minimal.Replace("a.b", "c", StringComparison.Ordinal));
        Assert.Equal((HttpStatusCode)422, code);
    }

    [Fact]
    public async Task A_status_is_written_by_nobody_outside()
    {
        JsonObject created = await CreateAsync(Minimal[..^1] + ", status: {lastSuccessfulSync: '2026-01-01T00:00:00Z'}}");
        Assert.Null(created["status"]);
        foreach (HttpMethod method in (HttpMethod[])[HttpMethod.Put, HttpMethod.Patch])
        {
            (HttpStatusCode code, JsonObject body, HttpResponseMessage response) = await _server.SendAsync(method, $"{Feeds}/a.b/status", "{}", "application/json");
            Assert.Equal(HttpStatusCode.MethodNotAllowed, code);
            Assert.Contains("written by the server alone", body["message"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Equal(["GET"], response.Content.Headers.Allow);
        }
        (_, JsonObject patched, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", """{"status":{"lastSuccessfulSync":"2026-01-01T00:00:00Z"}}""", MergePatch);
        Assert.Null(patched["status"]);
    }

    [Fact]
    public async Task Status_changes_bump_the_version_and_say_nothing_twice()
    {
        JsonObject created = await CreateAsync();
        Guid uid = Guid.Parse(created["metadata"]!["uid"]!.GetValue<string>());
        var writer = _server.Services.GetRequiredService<FeedStatusWriter>();
        await writer.SetConditionAsync("a.b", uid, ConditionType.HitStorm, "503", default);
        await writer.SyncedAsync("a.b", uid, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), default);
        await writer.SearchedAsync([("a.b", uid), ("gone", Guid.NewGuid())], new DateTimeOffset(2026, 1, 2, 3, 5, 0, TimeSpan.Zero), default);
        (_, JsonObject read, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal("""{"lastSuccessfulSync":"2026-01-02T03:04:05Z","lastSuccessfulSearch":"2026-01-02T03:05:00Z","errorConditions":[{"type":"HitStorm","message":"503"}]}""", read["status"]!.ToJsonString());
        Assert.Equal(1, read["metadata"]!["generation"]!.GetValue<int>());

        await writer.SetConditionAsync("a.b", uid, ConditionType.HitStorm, "503", default);
        await writer.SetConditionAsync("a.b", Guid.NewGuid(), ConditionType.StoreFailed, "of a feed that is gone", default);
        await writer.SearchedAsync([("a.b", Guid.NewGuid())], new DateTimeOffset(2026, 1, 2, 3, 6, 0, TimeSpan.Zero), default);
        (_, JsonObject again, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Equal(Version(read), Version(again));
        await writer.ClearAsync("a.b", uid, ConditionType.HitStorm, ConditionType.SetKept);
        (_, again, _) = await _server.SendAsync(HttpMethod.Get, $"{Feeds}/a.b");
        Assert.Null(again["status"]!["errorConditions"]);
    }

    [Fact]
    public async Task Unknown_fields_are_a_warning_or_when_strict_an_error()
    {
        string manifest = Minimal.Replace("spec: {}", "spec: {foo: 1}", StringComparison.Ordinal);
        (HttpStatusCode code, JsonObject strict, _) = await _server.SendAsync(HttpMethod.Post, Feeds + "?fieldValidation=Strict", manifest);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Equal("strict decoding error: unknown field \"spec.foo\"", strict["message"]!.GetValue<string>());
        (code, JsonObject body, HttpResponseMessage response) = await _server.SendAsync(HttpMethod.Post, Feeds, manifest);
        Assert.Equal(HttpStatusCode.Created, code);
        Assert.Equal("299 - \"unknown field \\\"spec.foo\\\"\"", Assert.Single(response.Headers.GetValues("Warning")));
        Assert.Null(body["spec"]!["foo"]);
        (code, _, _) = await _server.SendAsync(HttpMethod.Post, Feeds + "?fieldValidation=Maybe", manifest);
        Assert.Equal(HttpStatusCode.BadRequest, code);
    }

    [Fact]
    public async Task Of_many_unknown_fields_twenty_are_named_and_the_rest_counted()
    {
        string fields = string.Join(", ", Enumerable.Range(0, 33).Select(i => $"x{i}: 1"));
        (HttpStatusCode code, _, HttpResponseMessage response) = await _server.SendAsync(HttpMethod.Post, Feeds, Minimal.Replace("spec: {}", $"spec: {{{fields}}}", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Created, code);
        string[] warnings = [.. response.Headers.GetValues("Warning")];
        Assert.Equal(21, warnings.Length);
        Assert.Equal("299 - \"unknown field \\\"spec.x19\\\"\"", warnings[19]);
        Assert.Equal("299 - \"13 more unknown fields\"", warnings[20]);
    }

    [Fact]
    public async Task A_merge_patch_changes_what_it_names_and_other_patches_are_refused()
    {
        JsonObject created = await CreateAsync(Minimal.Replace("spec: {}", "spec: {content: DomainNameSet, description: old}", StringComparison.Ordinal));
        (HttpStatusCode code, JsonObject patched, _) = await _server.SendAsync(
            HttpMethod.Patch, $"{Feeds}/a.b", """{"metadata":{"labels":{"x":"y"}},"spec":{"description":null,"mode":"Disabled"}}""", MergePatch);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("""{"content":"DomainNameSet","mode":"Disabled","feedType":"Custom"}""", patched["spec"]!.ToJsonString());
        (code, _, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", $$$"""{"metadata":{"resourceVersion":"{{{Version(created)}}}"},"spec":{"mode":"Enabled"}}""", MergePatch);
        Assert.Equal(HttpStatusCode.Conflict, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", """{"spec":{"mode":"Off"}}""", MergePatch);
        Assert.Equal((HttpStatusCode)422, code);
        (code, JsonObject refused, _) = await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", "[]", "application/json-patch+json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, code);
        Assert.Contains(MergePatch, refused["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_too_large_or_of_an_unknown_type_are_refused()
    {
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, new string(' ', ManifestText.MaxBytes + 1));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "RequestEntityTooLarge"), (code, body["reason"]!.GetValue<string>()));
        (code, body, _) = await _server.SendAsync(HttpMethod.Post, Feeds, Minimal, "application/x-www-form-urlencoded");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, code);
        Assert.Contains("application/yaml", body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delete_keeps_its_preconditions()
    {
        JsonObject created = await CreateAsync();
        (HttpStatusCode code, _, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b",
            """{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"00000000-0000-0000-0000-000000000001"}}""", "application/json");
        Assert.Equal(HttpStatusCode.Conflict, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b?dryRun=All");
        Assert.Equal(HttpStatusCode.OK, code);
        (code, _, _) = await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b",
            $$$"""{"preconditions":{"resourceVersion":"{{{Version(created)}}}"}}""", "application/json");
        Assert.Equal(HttpStatusCode.OK, code);
    }

    [Fact]
    public async Task YAML_is_answered_to_who_asks_for_it()
    {
        await CreateAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Feeds}/a.b") { Headers = { { "Accept", "application/yaml" } } };
        HttpResponseMessage response = await _server.Client.SendAsync(request);
        Assert.Equal("application/yaml", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("a.b", ManifestText.ReadYaml(await response.Content.ReadAsByteArrayAsync())["metadata"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_listed_changes_with_the_feed_and_listeners_hear_of_it()
    {
        var heard = new List<string>();
        _server.Services.GetRequiredService<FeedChanges>().FeedChanged += heard.Add;
        await CreateAsync();
        await _server.SendAsync(HttpMethod.Patch, $"{Feeds}/a.b", """{"spec":{"mode":"Disabled"}}""", MergePatch);
        await using (ThreatFeedsContext db = _server.Services.GetRequiredService<IContextFactory>().Create())
        {
            Assert.False((await db.Listings.SingleAsync()).Enabled);
        }
        await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b?dryRun=All");
        await _server.SendAsync(HttpMethod.Delete, $"{Feeds}/a.b");
        await using (ThreatFeedsContext db = _server.Services.GetRequiredService<IContextFactory>().Create())
        {
            Assert.Empty(await db.Listings.ToListAsync());
        }
        Assert.Equal(["a.b", "a.b", "a.b"], heard);
    }
}
