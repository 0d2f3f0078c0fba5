using Microsoft.AspNetCore.Http;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>When a server may say that nothing has changed, and what it is asked with.</summary>
public sealed class ConditionTests : FetchingTest
{
    private const string Date = "Sat, 01 Aug 2026 10:00:00 GMT";

    [Fact]
    public async Task A_304_to_a_request_without_a_condition_is_an_error()
    {
        await using HostileServer server = await HostileServer.StartAsync(NotModifiedAsync);
        FetchException e = await RefusedAsync(server.Url);
        Assert.Equal(304, e.Status);
        Assert.Contains("no condition", e.Message);
    }

    [Fact]
    public async Task A_304_after_a_redirect_is_an_error_and_the_condition_stays_behind()
    {
        await using HostileServer other = await HostileServer.StartAsync(NotModifiedAsync);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Request.Path == "/" ? RedirectAsync(c, other.Url) : c.Request.Path == "/a" ? RedirectAsync(c, "/b") : NotModifiedAsync(c));
        foreach (string url in new[] { server.Url, server.Url + "/a" })
        {
            FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(new FetchRequest(new Uri(url), [], "\"one\"", Date), default).WaitAsync(Bound));
            Assert.Contains("no condition", e.Message);
        }
        // Asked where the validators are from, and nowhere else.
        Assert.Equal([("/", "\"one\""), ("/a", "\"one\""), ("/b", "")], server.Requests.Select(r => (r.Path, r.Headers.IfNoneMatch.ToString())));
        Assert.Equal(("", ""), (other.Requests.Single().Headers.IfNoneMatch.ToString(), other.Requests.Single().Headers.IfModifiedSince.ToString()));
    }

    [Fact]
    public async Task Validators_of_what_a_redirect_led_to_are_not_kept()
    {
        await using HostileServer server = await HostileServer.StartAsync(c => c.Request.Path == "/" ? RedirectAsync(c, "/list") : ListAsync(c, "\"one\"", Date));
        await using FetchedBody redirected = await FetchAsync(server.Url);
        Assert.Equal((null, null), (redirected.ETag, redirected.LastModified));
        await using FetchedBody direct = await FetchAsync(server.Url + "/list");
        Assert.Equal(("\"one\"", Date), (direct.ETag, direct.LastModified));
    }

    [Theory]
    [InlineData("\"\u00fcber\"")]
    [InlineData("\"tab\there\"")]
    [InlineData("unquoted")]
    [InlineData("\"a\", \"b\"")]
    [InlineData("\"")]
    [InlineData("w/\"a\"")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Validators_that_cannot_be_sent_back_are_dropped(string? tag)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => ListAsync(c, tag ?? $"\"{new string('x', 2000)}\"", tag ?? new string('1', 2000)));
        await using FetchedBody body = await FetchAsync(server.Url);
        Assert.Equal((null, null), (body.ETag, body.LastModified));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("W/\"a!#~\"")]
    [InlineData("\"65f-3\\\"")]
    public async Task Other_validators_are_kept_as_they_came(string tag)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => ListAsync(c, tag, Date));
        await using FetchedBody body = await FetchAsync(server.Url);
        Assert.Equal((tag, Date), (body.ETag, body.LastModified));
    }

    [Fact]
    public async Task Validators_stored_by_an_older_version_that_cannot_be_sent_do_no_harm()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FetchedBody body = await Fetcher().FetchAsync(new FetchRequest(new Uri(server.Url), [], "\"\u00fc\"", "yesterday\u00fc"), default).WaitAsync(Bound);
        Assert.Equal(200, body.Status);
        IHeaderDictionary sent = server.Requests.Single().Headers;
        Assert.False(sent.ContainsKey("If-None-Match") || sent.ContainsKey("If-Modified-Since"));
    }

    [Fact]
    public async Task A_new_feed_or_one_with_another_URL_or_format_is_not_well_because_of_a_304()
    {
        using var folder = new TemporaryFolder();
        await using FeedsHost host = await FeedsHost.CreateAsync(folder.Path);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Request.Path == "/list" ? ListAsync(c, "\"one\"", Date) : NotModifiedAsync(c));
        FeedRun unheard = await host.PullAsync(await host.CreateAsync("new", "DomainNameSet", server.Url + "/none"));
        Assert.Equal(RunOutcome.Failed, unheard.Outcome);
        Assert.Contains("304", Assert.Single(await host.ConditionsAsync("new")).Message);

        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url + "/list");
        Assert.Equal(RunOutcome.Replaced, (await host.PullAsync(feed)).Outcome);
        foreach (Feed changed in new[] { await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/other"), await host.ReplaceAsync("names", "DomainNameSet", server.Url + "/other", """{"threatfeeds.io/urls": "host"}""") })
        {
            Assert.Equal(RunOutcome.Failed, (await host.PullAsync(changed)).Outcome);
            Assert.Equal("", server.Requests.Last().Headers.IfNoneMatch.ToString());
        }
        Assert.Equal(["bad.example"], await host.IndicatorsAsync("names"));

        FeedPreview preview = await host.Get<FeedPreviewer>().PreviewAsync(feed with { Spec = feed.Spec with { Pull = feed.Spec.Pull! with { Url = new Uri(server.Url) } } }, default).WaitAsync(Bound);
        Assert.Contains("304", Assert.Single(preview.Problems));
    }

    private static Task NotModifiedAsync(HttpContext context)
    {
        context.Response.StatusCode = 304;
        return Task.CompletedTask;
    }

    private static Task ListAsync(HttpContext context, string tag, string date)
    {
        context.Response.Headers.ETag = tag;
        context.Response.Headers.LastModified = date;
        return context.Response.WriteAsync("bad.example\n");
    }
}
