using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Pulling;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>Behind Pulling:Proxy names are judged as they are without it.</summary>
public sealed class ProxyTests : FetchingTest
{
    private readonly TestAuthority _authority = new("ours");

    [Fact]
    public async Task The_proxy_connects_to_the_address_judged_here_and_the_server_hears_its_name()
    {
        await using var proxy = new TunnelProxy();
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FetchedBody body = await FetchAsync($"http://feeds.example:{server.Port}/list?x=1", o => o.Proxy = proxy.Url, Resolving("127.0.0.9"));
        Assert.Equal("bad.example\n", await new StreamReader(body.Rewind()).ReadToEndAsync());
        Assert.StartsWith($"CONNECT 127.0.0.9:{server.Port} HTTP/1.1\r\nHost: 127.0.0.9:{server.Port}\r\n\r\n", Assert.Single(proxy.Heads), StringComparison.Ordinal);
        (string path, IHeaderDictionary headers) = Assert.Single(server.Requests);
        Assert.Equal(("/list", $"feeds.example:{server.Port}"), (path, headers.Host.ToString()));
    }

    [Fact]
    public async Task TLS_goes_through_the_proxy_to_the_name_and_to_the_proxy_itself()
    {
        using X509Certificate2 named = _authority.Issue("feeds.example"), ofProxy = _authority.Issue("127.0.0.1");
        await using var proxy = new TunnelProxy(ofProxy);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.WriteAsync("bad.example\n"), named);
        string url = $"https://feeds.example:{server.Port}/", pem = _authority.WritePem(Folder.Path);
        await using FetchedBody body = await FetchAsync(url, o => (o.Proxy, o.CaFile) = (proxy.Url, pem), Resolving("127.0.0.1"));
        Assert.Equal(12, body.Bytes);
        Assert.Equal([$"127.0.0.1:{server.Port}"], proxy.Targets);
        FetchException e = await RefusedAsync(url, o => o.Proxy = proxy.Url, Resolving("127.0.0.1"));
        Assert.Contains("certificate of the proxy of Pulling:Proxy is not trusted", e.Message);
        e = await RefusedAsync(url.Replace("feeds", "other", StringComparison.Ordinal), o => (o.Proxy, o.CaFile) = (proxy.Url, pem), Resolving("127.0.0.1"));
        Assert.Contains($"The certificate of other.example:{server.Port} is not trusted", e.Message);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("http://localhost/", "127.0.0.1")]
    [InlineData("http://kubernetes.default.svc/", "10.96.0.1")]
    [InlineData("http://metadata.google.internal/", "169.254.169.254")]
    [InlineData("http://feeds.example/", "93.184.215.14", "10.0.0.1")]
    [InlineData("http://feeds.example/", "fd00::1")]
    [InlineData("https://feeds.example/", "::ffff:169.254.169.254")]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://2130706433/")]
    public async Task Every_answer_of_DNS_is_judged_before_the_proxy_is_asked(string url, params string[] answers)
    {
        await using var proxy = new TunnelProxy();
        FetchException e = await RefusedAsync(url, o => { o.Proxy = proxy.Url; o.AllowedNetworks.Clear(); }, Resolving(answers));
        Assert.Contains("must not be connected to", e.Message);
        Assert.Empty(proxy.Heads);
    }

    [Fact]
    public async Task A_name_that_changes_its_address_between_judging_and_connecting_gains_nothing()
    {
        await using var proxy = new TunnelProxy();
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        int asked = 0;
        FeedFetcher fetcher = Fetcher(o => o.Proxy = proxy.Url, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(asked++ == 0 ? "127.0.0.1" : "10.0.0.1")]));
        var request = new FetchRequest(new Uri($"http://rebinding.invalid:{server.Port}/"), []);
        await using FetchedBody body = await fetcher.FetchAsync(request, default).WaitAsync(Bound);
        Assert.Equal([$"127.0.0.1:{server.Port}"], proxy.Targets);
        await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(request, default).WaitAsync(Bound));
        Assert.Single(proxy.Heads);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_redirect_is_judged_behind_the_proxy_too()
    {
        await using var proxy = new TunnelProxy();
        await using HostileServer server = await HostileServer.StartAsync(c => RedirectAsync(c, "http://inner.example/"));
        NameResolver resolve = (host, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(host == "inner.example" ? "192.168.0.1" : "127.0.0.1")]);
        FetchException e = await RefusedAsync($"http://feeds.example:{server.Port}/", o => o.Proxy = proxy.Url, resolve);
        Assert.Contains("inner.example must not be connected to", e.Message);
        Assert.Single(proxy.Heads);
    }

    [Fact]
    public async Task The_next_address_is_tried_when_the_proxy_does_not_reach_the_first()
    {
        await using var proxy = new TunnelProxy { Refuses = t => t.StartsWith("127.0.0.77", StringComparison.Ordinal) ? "HTTP/1.1 502 Bad Gateway\r\n\r\n" : null };
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FetchedBody body = await FetchAsync($"http://feeds.example:{server.Port}/", o => o.Proxy = proxy.Url, Resolving("127.0.0.77", "127.0.0.1"));
        Assert.Equal([$"127.0.0.77:{server.Port}", $"127.0.0.1:{server.Port}"], proxy.Targets);
    }

    [Fact]
    public async Task A_name_that_only_the_proxy_can_resolve_goes_to_it_by_name()
    {
        await using var proxy = new TunnelProxy();
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        await using FetchedBody body = await FetchAsync($"http://feeds.example:{server.Port}/", o => o.Proxy = proxy.Url, Unknown);
        Assert.Equal([$"feeds.example:{server.Port}"], proxy.Targets);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost.")]
    [InlineData("a.localhost")]
    [InlineData("kubernetes")]
    [InlineData("kubernetes.default.svc")]
    [InlineData("kubernetes.default.svc.cluster.local.")]
    [InlineData("metadata.google.internal")]
    [InlineData("printer.local")]
    [InlineData("router.lan")]
    [InlineData("nas.home.arpa")]
    [InlineData("wiki.corp")]
    [InlineData("wiki。internal")]
    [InlineData("127.0.0.1.")]
    [InlineData("a.0x7f")]
    [InlineData("a.example.127")]
    public async Task An_inner_name_is_never_handed_on_unjudged(string host)
    {
        await using var proxy = new TunnelProxy();
        FetchException e = await RefusedAsync($"http://{host}/", o => o.Proxy = proxy.Url, Unknown);
        Assert.Contains("not handed to the proxy", e.Message);
        Assert.Empty(proxy.Heads);
    }

    [Fact]
    public async Task Credentials_come_from_a_file_that_may_change_and_stand_nowhere_else()
    {
        await using var proxy = new TunnelProxy { Wanted = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("feeds:s3crét:x")) };
        await using HostileServer server = await HostileServer.TextAsync("bad.example\n");
        string file = Path.Combine(Folder.Path, "proxy"), url = $"http://feeds.example:{server.Port}/";
        File.WriteAllText(file, "feeds:wrong\n");
        FeedFetcher fetcher = Fetcher(o => (o.Proxy, o.ProxyCredentialsFile) = (proxy.Url, file), Resolving("127.0.0.1"));
        FetchException e = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(new FetchRequest(new Uri(url), []), default).WaitAsync(Bound));
        Assert.Contains("Pulling:ProxyCredentialsFile", e.Message);
        File.WriteAllText(file, "\ufefffeeds:s3crét:x\r\n");
        await using (FetchedBody body = await fetcher.FetchAsync(new FetchRequest(new Uri(url), []), default).WaitAsync(Bound))
        {
            Assert.Equal(200, body.Status);
        }
        Assert.DoesNotContain("Proxy-Authorization", server.Requests.Single().Headers.Keys);
        File.Delete(file);
        FetchException gone = await Assert.ThrowsAsync<FetchException>(() => fetcher.FetchAsync(new FetchRequest(new Uri(url), []), default).WaitAsync(Bound));
        Assert.Contains("Pulling:ProxyCredentialsFile does not exist", gone.Message);
        Assert.All([e.ToString(), gone.ToString(), .. Log.All], t => Assert.DoesNotMatch("s3cr|wrong|ZmVlZ", t));
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n", "refused to connect to feeds.example (it answered 403)")]
    [InlineData("HTTP/1.1 407 \u001b[1m\r\nContent-Length: 5\r\n\r\nhello", "wants credentials")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "something behind its answer")]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n", "does not answer in HTTP")]
    [InlineData("HTTP/1.1 \r\n\r\n", "does not answer in HTTP")]
    [InlineData("HTTP/1.1 2000\r\n", "without an answer")]
    [InlineData("", "without an answer")]
    public async Task What_a_proxy_does_wrong_is_said_in_words(string answer, string words)
    {
        await using RawServer proxy = RawServer.Saying(answer);
        Assert.Contains(words, (await RefusedAsync("http://feeds.example/", o => o.Proxy = proxy.Url, Resolving("93.184.215.14"))).Message);
    }

    [Fact]
    public async Task A_proxy_that_is_not_there_or_says_too_much_or_nothing_is_told()
    {
        await using (var endless = new RawServer(async (_, stream, ct) => await stream.WriteAsync(new byte[100_000], ct)))
        {
            Assert.Contains("too long a head", (await RefusedAsync("http://feeds.example/", o => o.Proxy = endless.Url, Resolving("93.184.215.14"))).Message);
        }
        string url;
        await using (var silent = new RawServer((_, stream, ct) => stream.ReadExactlyAsync(new byte[1], ct).AsTask()))
        {
            url = silent.Url;
            Assert.Contains("connect time-out", (await RefusedAsync("http://feeds.example/", o => (o.Proxy, o.ConnectTimeout) = (url, TimeSpan.FromMilliseconds(200)), Resolving("93.184.215.14"))).Message);
        }
        FetchException e = await RefusedAsync("http://feeds.example/", o => o.Proxy = url, Resolving("93.184.215.14"));
        Assert.Contains("proxy of Pulling:Proxy cannot be reached or broke off (ConnectionRefused)", e.Message);
        Assert.DoesNotContain("127.0.0.1", e.Message);
    }

    [Fact]
    public void User_information_in_the_address_of_the_proxy_is_refused_with_the_way_to_say_it()
    {
        string file = Path.Combine(Folder.Path, "proxy");
        File.WriteAllText(file, "feeds:s3cret");
        Assert.Empty(Problems("http://proxy.example:3128", file));
        string told = Assert.Single(Problems("http://feeds:s3cret@proxy.example:3128", null));
        Assert.Contains("Pulling:ProxyCredentialsFile", told);
        Assert.DoesNotContain("s3cret", told);
        Assert.Contains("without Pulling:Proxy", Assert.Single(Problems(null, file)));
        Assert.Contains("does not exist", Assert.Single(Problems("http://proxy.example:3128", file + "x")));
        foreach (string content in new[] { "", "feeds", ":s3cret", "feeds:s3cret\nmore:s3cret", "feeds:s3\0cret", new string('x', 5000) + ":s3cret" })
        {
            File.WriteAllText(file, content);
            told = Assert.Single(Problems("http://proxy.example:3128", file));
            Assert.Contains("'user:password'", told);
            Assert.DoesNotContain("s3", told);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _authority.Dispose();
        base.Dispose(disposing);
    }

    private static Task<IPAddress[]> Unknown(string host, CancellationToken cancellationToken) => throw new SocketException((int)SocketError.TryAgain);

    private static List<string> Problems(string? proxy, string? file)
    {
        var options = new PullingOptions { Proxy = proxy, ProxyCredentialsFile = file };
        return [.. options.Validate(new ValidationContext(options)).Select(r => r.ErrorMessage!)];
    }
}
