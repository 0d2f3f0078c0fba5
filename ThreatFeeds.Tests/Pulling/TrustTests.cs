using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>Whom a pull trusts: certificates, redirects, answers of DNS, what stands behind a compressed body.</summary>
public sealed class TrustTests : FetchingTest
{
    private readonly TestAuthority _authority = new("ours");

    protected override void Dispose(bool disposing)
    {
        _authority.Dispose();
        base.Dispose(disposing);
    }

    [Fact]
    public async Task A_server_whose_certificate_an_own_authority_signed_is_trusted()
    {
        using X509Certificate2 certificate = _authority.Issue("127.0.0.1");
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        await using FetchedBody body = await FetchAsync(server.Url, o => o.CaFile = _authority.WritePem(Folder.Path));
        Assert.StartsWith("https://", server.Url, StringComparison.Ordinal);
        Assert.Equal(12, body.Bytes);
    }

    [Fact]
    public async Task A_server_of_an_authority_that_is_not_given_is_refused()
    {
        using X509Certificate2 certificate = _authority.Issue("127.0.0.1");
        using var other = new TestAuthority("other");
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        Assert.Contains("is not trusted", (await RefusedAsync(server.Url)).Message);
        FetchException e = await RefusedAsync(server.Url, o => o.CaFile = other.WritePem(Folder.Path));
        Assert.Contains("is not trusted", e.Message);
        Assert.Contains("Pulling:CaFile", e.Message);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("127.0.0.2", false)]
    [InlineData("other.example", false)]
    [InlineData("127.0.0.1", true)]
    public async Task An_own_authority_excuses_neither_another_host_nor_an_expired_certificate(string host, bool expired)
    {
        using X509Certificate2 certificate = _authority.Issue(host, expired);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        Assert.Contains("is not trusted", (await RefusedAsync(server.Url, o => o.CaFile = _authority.WritePem(Folder.Path))).Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_redirect_from_https_to_http_is_not_followed()
    {
        using X509Certificate2 certificate = _authority.Issue("127.0.0.1");
        await using HostileServer plain = await HostileServer.TextAsync("bad.example\n");
        await using HostileServer server = await HostileServer.StartAsync(c => RedirectAsync(c, plain.Url), certificate);
        FetchException e = await RefusedAsync(server.Url, o => o.CaFile = _authority.WritePem(Folder.Path));
        Assert.Contains("from https to http", e.Message);
        Assert.Single(server.Requests);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task A_redirect_from_http_to_https_is_followed()
    {
        using X509Certificate2 certificate = _authority.Issue("127.0.0.1");
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), certificate);
        await using HostileServer plain = await HostileServer.StartAsync(c => RedirectAsync(c, server.Url));
        await using FetchedBody body = await FetchAsync(plain.Url, o => o.CaFile = _authority.WritePem(Folder.Path));
        Assert.Equal(200, body.Status);
    }

    [Fact]
    public async Task Headers_dropped_by_a_redirect_stay_dropped_when_another_leads_back()
    {
        string back = "";
        await using HostileServer other = await HostileServer.StartAsync(c => RedirectAsync(c, c.Request.Path == "/next" ? back : "/next"));
        await using HostileServer server = await HostileServer.StartAsync(c => c.Request.Path == "/back" ? c.Response.WriteAsync("bad.example\n") : RedirectAsync(c, other.Url));
        back = server.Url + "/back";
        await using FetchedBody body = await Fetcher().FetchAsync(new FetchRequest(new Uri(server.Url), [new("Authorization", "Bearer s3cret")]), default)
            .WaitAsync(Bound);
        Assert.Equal([("/", "Bearer s3cret"), ("/back", "")], server.Requests.Select(r => (r.Path, r.Headers.Authorization.ToString())));
        Assert.Equal([("/", ""), ("/next", "")], other.Requests.Select(r => (r.Path, r.Headers.Authorization.ToString())));
    }

    [Theory]
    [InlineData("127.0.0.1", "169.254.169.254")]
    [InlineData("127.0.0.1", "10.0.0.1")]
    [InlineData("127.0.0.1", "fe80::1")]
    [InlineData("169.254.169.254", "127.0.0.1")]
    public async Task One_forbidden_address_among_the_answers_of_DNS_is_enough(string first, string second)
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        FeedFetcher fetcher = Fetcher(resolve: (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(first), IPAddress.Parse(second)]));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(new FetchRequest(new Uri($"http://feeds.example:{server.Port}/"), []), default).WaitAsync(Bound));
        Assert.Contains("feeds.example must not be connected to", e.Message);
        Assert.Empty(server.Requests);
        // Which address it is says the log, and not whoever may define feeds.
        string forbidden = first == "127.0.0.1" ? second : first;
        Assert.DoesNotContain(forbidden, e.Message);
        Assert.Contains(Log.All, l => l.Contains(forbidden, StringComparison.Ordinal) && l.Contains("feeds.example", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_is_resolved_once_and_what_was_judged_is_connected_to()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        var asked = new List<string>();
        // A name that no resolver knows: only through the answer given here can the server be reached. The second answer would be the inner one.
        FeedFetcher fetcher = Fetcher(resolve: (host, _) =>
        {
            asked.Add(host);
            return Task.FromResult<IPAddress[]>([IPAddress.Parse(asked.Count == 1 ? "127.0.0.1" : "10.0.0.1")]);
        });
        await using FetchedBody body = await fetcher.FetchAsync(new FetchRequest(new Uri($"http://rebinding.invalid:{server.Port}/"), []), default).WaitAsync(Bound);
        Assert.Equal(["rebinding.invalid"], asked);
        Assert.Equal(200, body.Status);
        // A connection is not kept for the next pull, which judges anew.
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(new FetchRequest(new Uri($"http://rebinding.invalid:{server.Port}/"), []), default).WaitAsync(Bound));
        Assert.Contains("rebinding.invalid must not be connected to: its address is loopback, private", e.Message);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_next_answer_of_DNS_is_tried_when_the_first_does_not_listen()
    {
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        FeedFetcher fetcher = Fetcher(resolve: (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.77"), IPAddress.Loopback]));
        await using FetchedBody body = await fetcher.FetchAsync(new FetchRequest(new Uri($"http://feeds.example:{server.Port}/"), []), default).WaitAsync(Bound);
        Assert.Equal(200, body.Status);
    }

    [Fact]
    public async Task Bytes_behind_the_end_of_a_gzip_body_make_it_unusable()
    {
        byte[] whole = Pack("gzip", Encoding.UTF8.GetBytes("bad.example\n"));
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, "gzip", [.. whole, .. "worse.example\n"u8]));
        FetchException e = await RefusedAsync(server.Url);
        Assert.True(e.BodyUnusable);
        Assert.Contains("behind its end", e.Message);
    }

    [Fact]
    public async Task A_gzip_body_of_several_members_is_read_to_its_end()
    {
        byte[] first = Pack("gzip", Encoding.UTF8.GetBytes("bad.example\n")), second = Pack("gzip", Encoding.UTF8.GetBytes("worse.example\n"));
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, "gzip", [.. first, .. second]));
        await using FetchedBody body = await FetchAsync(server.Url);
        Assert.Equal("bad.example\nworse.example\n", await new StreamReader(body.Rewind()).ReadToEndAsync());
    }

    [Fact]
    public async Task A_wrong_checksum_is_said_to_be_that()
    {
        byte[] whole = Pack("gzip", Encoding.UTF8.GetBytes("bad.example\n"));
        whole[^8] ^= 0xFF;
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, "gzip", whole));
        FetchException e = await RefusedAsync(server.Url);
        Assert.True(e.BodyUnusable);
        Assert.Contains("wrong checksum", e.Message);
        Assert.Contains("gzip", e.Message);
        Assert.DoesNotContain("compression method", e.Message);
    }

    [Fact]
    public async Task A_redirect_to_a_URL_with_user_information_is_refused()
    {
        await using HostileServer there = await HostileServer.TextAsync("bad.example\n");
        await using HostileServer server = await HostileServer.StartAsync(c => RedirectAsync(c, there.Url.Replace("http://", "http://user:s3cret@", StringComparison.Ordinal)));
        FetchException e = await RefusedAsync(server.Url);
        Assert.Contains("user information", e.Message);
        Assert.DoesNotContain("s3cret", e.Message);
        Assert.Empty(there.Requests);
    }

    [Fact]
    public void Bodies_that_a_stopped_process_left_behind_go_at_the_next_start()
    {
        string left = Path.Combine(Folder.Path, "pulling", "left.body");
        Directory.CreateDirectory(Path.GetDirectoryName(left)!);
        File.WriteAllText(left, "bad.example");
        Fetcher();
        Assert.False(File.Exists(left));
    }

    [Fact]
    public async Task Both_validators_of_the_set_held_are_sent()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = 304;
            return Task.CompletedTask;
        });
        var request = new FetchRequest(new Uri(server.Url), [], "\"one\"", "Sat, 01 Aug 2026 10:00:00 GMT");
        await using FetchedBody body = await Fetcher().FetchAsync(request, default).WaitAsync(Bound);
        Assert.True(body.NotModified);
        (_, IHeaderDictionary headers) = Assert.Single(server.Requests);
        Assert.Equal(("\"one\"", "Sat, 01 Aug 2026 10:00:00 GMT"), (headers.IfNoneMatch.ToString(), headers.IfModifiedSince.ToString()));
    }

    [Fact]
    public async Task An_endless_body_that_unpacks_to_nothing_ends_at_the_limit()
    {
        byte[] nothing = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] members = [.. Enumerable.Repeat(nothing, 3000).SelectMany(m => m)];
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            c.Response.Headers.ContentEncoding = "gzip";
            while (!c.RequestAborted.IsCancellationRequested)
            {
                await c.Response.Body.WriteAsync(members, c.RequestAborted);
            }
        });
        FetchException e = await RefusedAsync(server.Url, o => o.MaxBytes = 1_000_000);
        Assert.True(e.BodyUnusable);
        Assert.Contains("Pulling:MaxBytes", e.Message);
    }
}
