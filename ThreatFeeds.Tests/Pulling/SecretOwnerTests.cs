using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>What stands in a Secret is sent by one feed, and only to the server that this feed is saved with.</summary>
public sealed class SecretOwnerTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FeedsHost _host = null!;
    private HostileServer _own = null!;
    private HostileServer _foreign = null!;

    public async Task InitializeAsync()
    {
        _host = await FeedsHost.CreateAsync(_folder.Path);
        _own = await HostileServer.TextAsync("bad.example\n");
        _foreign = await HostileServer.TextAsync("bad.example\n");
    }

    public async Task DisposeAsync()
    {
        await _foreign.DisposeAsync();
        await _own.DisposeAsync();
        await _host.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_test_of_a_feed_that_is_not_saved_sends_nothing_of_a_secret_and_says_so()
    {
        await SecretAsync("globalthreatfeed-names-token");
        FeedPreview preview = await PreviewAsync("names", _own.Url, "globalthreatfeed-names-token");
        Assert.Equal((200, 1), (preview.Status, preview.Accepted));
        AssertNothingSent(_own);
        string problem = Assert.Single(preview.Problems);
        Assert.Contains("header Authorization was not sent", problem, StringComparison.Ordinal);
        Assert.Contains("Secret globalthreatfeed-names-token", problem, StringComparison.Ordinal);
        Assert.Contains("names is not saved", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_with_another_servers_url_under_the_name_of_a_saved_feed_sends_nothing_of_its_secret()
    {
        await SecretAsync("globalthreatfeed-names-token");
        await _host.CreateAsync("names", "DomainNameSet", _own.Url + "/list", headers: Headers("globalthreatfeed-names-token"));
        foreach (string url in new[] { _foreign.Url, _own.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) })
        {
            FeedPreview preview = await PreviewAsync("names", url + "/list", "globalthreatfeed-names-token");
            Assert.Contains(preview.Problems, p => p.Contains("header Authorization was not sent", StringComparison.Ordinal) && p.Contains($"names pulls from {_own.Url}", StringComparison.Ordinal));
        }
        AssertNothingSent(_foreign);
        AssertNothingSent(_own);

        FeedPreview good = await PreviewAsync("names", _own.Url + "/other", "globalthreatfeed-names-token");
        Assert.Empty(good.Problems);
        Assert.Equal(("/other", "Bearer x"), (_own.Requests.Last().Path, _own.Requests.Last().Headers.Authorization.ToString()));
    }

    [Fact]
    public async Task A_pushed_feed_of_that_name_sends_nothing_in_a_test_and_a_refusal_by_the_server_is_told_too()
    {
        await SecretAsync("globalthreatfeed-names-token");
        await _host.CreateAsync("names", "DomainNameSet");
        _own.Answer = c =>
        {
            c.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        };
        FeedPreview preview = await PreviewAsync("names", _own.Url, "globalthreatfeed-names-token");
        Assert.Equal(401, preview.Status);
        Assert.Collection(preview.Problems, p => Assert.Contains("was not sent", p), p => Assert.Contains("answered 401", p));
        AssertNothingSent(_own);
    }

    [Fact]
    public async Task A_secret_belongs_to_the_feed_with_the_longest_name_that_fits()
    {
        await _host.CreateAsync("a-b", "DomainNameSet");
        foreach (FeedChangeResult refused in new[]
        {
            await CreateAsync("a", "globalthreatfeed-a-b-token"),
            await ReplacedAsync(),
            await PatchedAsync(),
        })
        {
            FeedProblem problem = Assert.Single(Assert.IsType<FeedChangeResult.Invalid>(refused).Problems);
            Assert.Equal("spec.pull.http.headers[0].valueFrom.secretKeyRef.name", problem.Path);
            Assert.Contains("belongs to the feed a-b", problem.Message, StringComparison.Ordinal);
            Assert.Contains("globalthreatfeed-a-token", problem.Message, StringComparison.Ordinal);
        }
        Assert.IsType<FeedChangeResult.Ok>(await _host.Get<FeedChanges>().ReplaceAsync("a-b", Manifest("a-b", "globalthreatfeed-a-b-token"), FeedChangeOptions.Default, Actor.Local, default));
        // Of the feed being saved the name counts, too.
        Assert.IsType<FeedChangeResult.Ok>(await CreateAsync("a-b-c", "globalthreatfeed-a-b-c-token"));
        // Names that only look alike are other names.
        await _host.CreateAsync("a.b", "DomainNameSet");
        await _host.CreateAsync("a-to", "DomainNameSet");
        Assert.IsType<FeedChangeResult.Ok>(await CreateAsync("a", "globalthreatfeed-a-token"));

        Task<FeedChangeResult> ReplacedAsync() => ChangedAsync(() => _host.Get<FeedChanges>().ReplaceAsync("a", Manifest("a", "globalthreatfeed-a-b-token"), FeedChangeOptions.Default, Actor.Local, default));

        Task<FeedChangeResult> PatchedAsync() => ChangedAsync(() => _host.Get<FeedChanges>().PatchAsync("a", new JsonObject
        {
            ["spec"] = new JsonObject { ["pull"] = new JsonObject { ["http"] = new JsonObject { ["headers"] = JsonNode.Parse(Headers("globalthreatfeed-a-b-token")) } } },
        }, FeedChangeOptions.Default, Actor.Local, default));

        async Task<FeedChangeResult> ChangedAsync(Func<Task<FeedChangeResult>> change)
        {
            await _host.CreateAsync("a", "DomainNameSet", _own.Url);
            FeedChangeResult result = await change();
            await _host.Get<FeedChanges>().DeleteAsync("a", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
            return result;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Before_its_first_use_a_secret_belongs_to_the_feed_that_its_name_fits_best_by_now(bool optional)
    {
        await SecretAsync("globalthreatfeed-a-b-token");
        Feed feed = await _host.CreateAsync("a", "DomainNameSet", _own.Url, headers: Headers("globalthreatfeed-a-b-token", optional));
        await _host.CreateAsync("a-b", "DomainNameSet");
        FeedRun run = await _host.PullAsync(feed);
        Assert.Equal(RunOutcome.Failed, run.Outcome);
        (ConditionType type, string message) = Assert.Single(await _host.ConditionsAsync("a"));
        Assert.Equal(ConditionType.HeaderSourceMissing, type);
        Assert.Contains("Secret tigera-intrusion-detection/globalthreatfeed-a-b-token belongs to the feed a-b", message, StringComparison.Ordinal);
        Assert.Contains("globalthreatfeed-a-token", message, StringComparison.Ordinal);
        FeedPreview preview = await _host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FeedFetcherTests.Bound);
        Assert.Contains("belongs to the feed a-b", Assert.Single(preview.Problems), StringComparison.Ordinal);
        Assert.Empty(_own.Requests);
    }

    [Fact]
    public async Task A_feed_gains_no_secret_that_another_one_used_whichever_name_is_the_longer()
    {
        foreach ((string first, string later) in new[] { ("a", "a-b"), ("c-d", "c") })
        {
            string secret = $"globalthreatfeed-{(first.Length > later.Length ? first : later)}-token";
            await SecretAsync(secret);
            Feed feed = await _host.CreateAsync(first, "DomainNameSet", _own.Url, headers: Headers(secret));
            Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(feed)).Outcome);
            Assert.Equal("Bearer x", _own.Requests.Last().Headers.Authorization.ToString());

            FeedProblem problem = Assert.Single(Assert.IsType<FeedChangeResult.Invalid>(await CreateAsync(later, secret)).Problems);
            Assert.Contains($"belongs to the feed {first}, which used it first", problem.Message, StringComparison.Ordinal);
            // Nor does it take it from the other by being there.
            await _host.CreateAsync(later, "DomainNameSet");
            Assert.Equal(RunOutcome.Unchanged, (await _host.PullAsync(feed)).Outcome);
            Assert.Equal("Bearer x", _own.Requests.Last().Headers.Authorization.ToString());
            // Nor by the other's end.
            await _host.Get<FeedChanges>().DeleteAsync(first, ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
            Assert.IsType<FeedChangeResult.Invalid>(await _host.Get<FeedChanges>().ReplaceAsync(later, Manifest(later, secret), FeedChangeOptions.Default, Actor.Local, default));
        }
    }

    [Fact]
    public async Task A_secret_goes_to_no_other_server_than_the_first_until_it_is_stored_anew()
    {
        await SecretAsync("globalthreatfeed-names-token");
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(await _host.CreateAsync("names", "DomainNameSet", _own.Url, headers: Headers("globalthreatfeed-names-token")))).Outcome);
        await _host.Get<FeedChanges>().DeleteAsync("names", ResourcePrecondition.None, FeedChangeOptions.Default, Actor.Local, default);
        // Under the same name, by whomever.
        Feed moved = await _host.CreateAsync("names", "DomainNameSet", _foreign.Url, headers: Headers("globalthreatfeed-names-token"));
        Assert.Equal(RunOutcome.Failed, (await _host.PullAsync(moved)).Outcome);
        (ConditionType type, string message) = Assert.Single(await _host.ConditionsAsync("names"));
        Assert.Equal(ConditionType.HeaderSourceMissing, type);
        Assert.Contains($"belongs to the server {_own.Url}", message, StringComparison.Ordinal);
        Assert.Contains($"now pulls from {_foreign.Url}", message, StringComparison.Ordinal);
        AssertNothingSent(_foreign);

        await _host.AlterAsync(async db =>
        {
            ResourceRow row = await db.Resources.SingleAsync(r => r.Kind == "Secret");
            Assert.Empty(ResourceDocument.ToJson(row).Where(m => m.Key == "status"));
            row.Generation++;
        });
        Assert.Equal(RunOutcome.Replaced, (await _host.PullAsync(moved)).Outcome);
        Assert.Equal("Bearer x", Assert.Single(_foreign.Requests).Headers.Authorization.ToString());
    }

    [Fact]
    public async Task A_secret_that_was_missing_is_said_no_longer_once_a_pull_fails_for_another_reason()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        Feed feed = await _host.CreateAsync("names", "DomainNameSet", server.Url, headers: Headers("globalthreatfeed-names-token"));
        await _host.PullAsync(feed);
        Assert.Equal([ConditionType.HeaderSourceMissing], (await _host.ConditionsAsync("names")).Select(c => c.Type));
        await SecretAsync("globalthreatfeed-names-token");
        await _host.PullAsync(feed);
        Assert.Equal([ConditionType.PullFailed], (await _host.ConditionsAsync("names")).Select(c => c.Type));
    }

    private static void AssertNothingSent(HostileServer server) => Assert.All(server.Requests, r => Assert.False(r.Headers.ContainsKey("Authorization"), $"{r.Path} was sent {r.Headers.Authorization}"));

    private static string Headers(string secret, bool optional = false) =>
        """[{"name": "Authorization", "valueFrom": {"secretKeyRef": {"name": "SECRET", "key": "token", "optional": false}}}]"""
            .Replace("SECRET", secret, StringComparison.Ordinal).Replace("false", optional ? "true" : "false", StringComparison.Ordinal);

    private JsonObject Manifest(string name, string secret) => FeedsHost.Manifest(name, "DomainNameSet", _own.Url, headers: Headers(secret));

    private Task<FeedChangeResult> CreateAsync(string name, string secret) => _host.Get<FeedChanges>().CreateAsync(Manifest(name, secret), FeedChangeOptions.Default, Actor.Local, default);

    private Task<FeedPreview> PreviewAsync(string name, string url, string secret)
    {
        FeedReading reading = _host.Get<FeedReader>().Read(FeedsHost.Manifest(name, "DomainNameSet", url, headers: Headers(secret)));
        Assert.Empty(reading.Problems);
        return _host.Get<FeedPreviewer>().PreviewAsync(reading.Manifest!.Feed, default).WaitAsync(FeedFetcherTests.Bound);
    }

    private Task SecretAsync(string name) => _host.AlterAsync(db =>
    {
        db.Resources.Add(new ResourceRow { Kind = "Secret", Namespace = HeaderSources.Namespace, Name = name, Uid = Guid.NewGuid(), Spec = """{"data": {"token": "QmVhcmVyIHg="}}""" });
        return Task.CompletedTask;
    });
}
