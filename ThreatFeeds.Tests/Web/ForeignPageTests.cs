using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>A page that somebody else serves, open in the browser of an operator, can do nothing here.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class ForeignPageTests(ConsoleBrowser browser)
{
    private const string Read = "url => fetch(url).then(() => 'read', () => 'refused')";
    private const string Post = "([url, body]) => fetch(url, { method: 'POST', mode: 'no-cors', body }).then(() => 'sent', () => 'failed')";
    private const string Connect = """
        url => new Promise(done => {
          const socket = new WebSocket(url);
          socket.onopen = () => { socket.close(); done('open'); };
          socket.onerror = () => done('refused');
        })
        """;

    [BrowserFact]
    public async Task A_page_of_another_origin_can_neither_read_nor_post_nor_open_a_circuit()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using LoopbackServer foreign = await LoopbackServer.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);
        IPage page = console.Page;
        string socket = new UriBuilder(app.Address) { Scheme = "ws", Path = "/_blazor" }.Uri.ToString();
        string logs = new Uri(app.Address, "/v1/logs/dns").ToString();

        // From our own page the same calls work, so that what follows does not pass for another reason.
        await console.OpenAsync("/feeds");
        Assert.Equal("read", await page.EvaluateAsync<string>(Read, new Uri(app.Address, "/v1/alerts").ToString()));
        Assert.Equal("open", await page.EvaluateAsync<string>(Connect, socket));

        await page.GotoAsync(foreign.Serve("/", "<!DOCTYPE html><title>foreign</title>", "text/html").ToString());
        Assert.Equal("refused", await page.EvaluateAsync<string>(Read, new Uri(app.Address, "/v1/alerts").ToString()));
        Assert.Equal("refused", await page.EvaluateAsync<string>(Connect, socket));
        // What they are answered is not even shown to the page; that it is 403 is tested without a browser.
        Assert.StartsWith("net::ERR_BLOCKED_BY_RESPONSE", await FailureAsync(page, logs, Samples.Query("badhost.example", "pod").ToJsonString()), StringComparison.Ordinal);
        string feeds = new Uri(app.Address, Samples.Feeds).ToString();
        Assert.StartsWith("net::ERR_BLOCKED_BY_RESPONSE", await FailureAsync(page, feeds, Samples.Feed("names", foreign.Address).ToJsonString()), StringComparison.Ordinal);

        Assert.Contains("\"items\":[]", await app.Client.GetStringAsync(Samples.Feeds), StringComparison.Ordinal);
        Assert.DoesNotContain("\"lastReceivedAt\":\"", await app.Client.GetStringAsync("/v1/searches"), StringComparison.Ordinal);
    }

    [BrowserFact]
    public async Task A_page_of_another_origin_cannot_frame_the_console()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await using LoopbackServer foreign = await LoopbackServer.StartAsync();
        await using ConsolePage console = await browser.NewPageAsync(app);

        string frame = $"<!DOCTYPE html><title>foreign</title><iframe src=\"{app.Address}\"></iframe>";
        await console.Page.GotoAsync(foreign.Serve("/", frame, "text/html").ToString());
        Assert.Equal(0, await console.Page.FrameLocator("iframe").Locator(".app").CountAsync());
        Assert.Contains(console.Complaints, c => c.Contains("frame-ancestors", StringComparison.Ordinal));
    }

    /// <summary>Posts from the page; how the browser says that it failed.</summary>
    private static async Task<string> FailureAsync(IPage page, string url, string body)
    {
        var failed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        page.RequestFailed += (_, request) =>
        {
            if (request.Url == url)
            {
                failed.TrySetResult(request.Failure ?? "");
            }
        };
        await page.EvaluateAsync<string>(Post, new[] { url, body });
        return await failed.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
    }
}
