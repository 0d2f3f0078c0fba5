using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

public sealed class FeedFetcherTests : FetchingTest
{
    [Fact]
    public async Task A_body_comes_with_its_digest_and_validators()
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.Headers.ETag = "\"one\"";
            c.Response.Headers.LastModified = "Sat, 01 Aug 2026 10:00:00 GMT";
            return c.Response.WriteAsync("abc");
        });
        await using FetchedBody body = await Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", body.Digest);
        Assert.Equal(("\"one\"", "Sat, 01 Aug 2026 10:00:00 GMT", 3L), (body.ETag, body.LastModified, body.Bytes));
        Assert.Equal("ThreatFeeds/0.1", server.Requests.First().Headers.UserAgent);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_body_is_unpacked(string coding)
    {
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, Pack(coding, Encoding.UTF8.GetBytes("bad.example\n"))));
        await using FetchedBody body = await Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound);
        Assert.Equal("bad.example\n", await new StreamReader(body.Rewind()).ReadToEndAsync());
    }

    [Fact]
    public async Task A_redirect_to_a_forbidden_address_is_refused()
    {
        await using HostileServer server = await Redirecting("http://169.254.169.254/latest/meta-data/");
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("169.254.169.254", e.Message);
        Assert.Contains("never", e.Message);
    }

    [Theory]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("http://0x7f.1:{0}/")]
    [InlineData("http://0177.0.0.1:{0}/")]
    [InlineData("http://127.1:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://LOCALHOST.:{0}/")]
    [InlineData("http://①②⑦.⓪.⓪.①:{0}/")]
    public async Task No_spelling_of_loopback_gets_through_without_being_allowed(string url)
    {
        await using HostileServer server = await HostileServer.TextAsync("secret");
        var request = new FetchRequest(new Uri(string.Format(System.Globalization.CultureInfo.InvariantCulture, url, server.Port)), []);
        await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.AllowedNetworks.Clear()).FetchAsync(request, default).WaitAsync(Bound));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Redirects_are_followed_five_times_and_headers_stay_on_the_same_host_only()
    {
        await using HostileServer other = await HostileServer.TextAsync("there");
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = 302;
            c.Response.Headers.Location = c.Request.Path == "/" ? "/next" : other.Url + "/x";
            return Task.CompletedTask;
        });
        await using FetchedBody body = await Fetcher().FetchAsync(new FetchRequest(new Uri(server.Url), [new("Authorization", "Bearer s3cret")]), default).WaitAsync(Bound);
        Assert.Equal(["Bearer s3cret", "Bearer s3cret"], server.Requests.Select(r => r.Headers.Authorization.ToString()));
        Assert.Equal("", Assert.Single(other.Requests).Headers.Authorization.ToString());
    }

    [Fact]
    public async Task An_endless_chain_of_redirects_ends()
    {
        await using HostileServer server = await Redirecting("/again");
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("More than 5 redirects", e.Message);
        Assert.Equal(6, server.Requests.Count);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/")]
    public async Task A_redirect_to_another_scheme_is_refused(string target)
    {
        await using HostileServer server = await Redirecting(target);
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("scheme", e.Message);
    }

    [Fact]
    public async Task An_endless_body_ends_at_the_limit()
    {
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            byte[] piece = new byte[64 * 1024];
            while (!c.RequestAborted.IsCancellationRequested)
            {
                await c.Response.Body.WriteAsync(piece, c.RequestAborted);
            }
        });
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.MaxBytes = 1_000_000).FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.True(e.BodyUnusable);
        Assert.Contains("Pulling:MaxBytes", e.Message);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_bomb_ends_at_the_limit(string coding)
    {
        byte[] bomb = Pack(coding, new byte[50_000_000]);
        Assert.True(bomb.Length < 1_000_000);
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, bomb));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.MaxBytes = 1_000_000).FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.True(e.BodyUnusable);
    }

    [Fact]
    public async Task A_body_cut_short_is_noticed()
    {
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            // Bytes are missing at the end, so the server closes the connection.
            c.Response.ContentLength = 100;
            await c.Response.WriteAsync("bad.example\n");
        });
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.True(e.BodyUnusable, e.Message);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_body_cut_short_is_noticed(string coding)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 20_000).Select(i => $"name{i * 7919}.example")));
        byte[] whole = Pack(coding, text);
        await using HostileServer server = await HostileServer.StartAsync(c => WriteAsync(c, coding, whole[..(whole.Length / 2)]));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.True(e.BodyUnusable, e.Message);
    }

    [Fact]
    public async Task An_answer_that_does_not_come_names_the_time_out()
    {
        await using HostileServer server = await HostileServer.StartAsync(c => UntilAborted(c));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.FirstByteTimeout = TimeSpan.FromMilliseconds(200)).FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("first-byte time-out", e.Message);
    }

    [Fact]
    public async Task A_body_that_stops_names_the_time_out()
    {
        await using HostileServer server = await HostileServer.StartAsync(async c =>
        {
            await c.Response.WriteAsync("bad.example\n");
            await c.Response.Body.FlushAsync();
            await UntilAborted(c);
        });
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.IdleTimeout = TimeSpan.FromMilliseconds(200)).FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("idle time-out", e.Message);
        FetchException total = await Assert.ThrowsAsync<FetchException>(() => Fetcher(o => o.TotalTimeout = TimeSpan.FromMilliseconds(300)).FetchAsync(Request(server), default).WaitAsync(Bound));
        Assert.Contains("total time-out", total.Message);
    }

    [Theory]
    [InlineData(401, "credentials")]
    [InlineData(403, "forbids")]
    [InlineData(404, "nothing at /list.txt")]
    [InlineData(503, "problem of its own")]
    [InlineData(204, "not 200")]
    public async Task Other_statuses_are_said_in_words(int status, string words)
    {
        await using HostileServer server = await HostileServer.StartAsync(c =>
        {
            c.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(new FetchRequest(new Uri(server.Url + "/list.txt"), []), default).WaitAsync(Bound));
        Assert.Contains(words, e.Message);
        Assert.Equal(status, e.Status);
    }

    [Fact]
    public async Task A_closed_port_and_an_unknown_name_are_said_in_words()
    {
        int port;
        await using (HostileServer gone = await HostileServer.TextAsync(""))
        {
            port = gone.Port;
        }
        FetchException refused = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(new FetchRequest(new Uri($"http://127.0.0.1:{port}/"), []), default).WaitAsync(Bound));
        Assert.Contains("refused the connection", refused.Message);
        FetchException unknown = await Assert.ThrowsAsync<FetchException>(() => Fetcher().FetchAsync(new FetchRequest(new Uri("http://no-such-name.invalid/"), []), default).WaitAsync(Bound));
        Assert.Contains("no-such-name.invalid", unknown.Message);
    }

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("everything")]
    public void A_network_that_is_none_is_refused_at_start(string network)
    {
        var options = new PullingOptions();
        options.AllowedNetworks.Add(network);
        Assert.Contains(options.Validate(new ValidationContext(options)), r => r.ErrorMessage!.Contains(network, StringComparison.Ordinal));
    }

    internal static Task UntilAborted(HttpContext context)
    {
        var aborted = new TaskCompletionSource();
        context.RequestAborted.Register(() => aborted.TrySetResult());
        return aborted.Task.WaitAsync(Bound);
    }

    private static FetchRequest Request(HostileServer server) => new(new Uri(server.Url), []);

    private static Task<HostileServer> Redirecting(string to) => HostileServer.StartAsync(c =>
    {
        c.Response.StatusCode = 301;
        c.Response.Headers.Location = to;
        return Task.CompletedTask;
    });
}
