using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.AspNetCore.Http;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>How much is fetched and read at once, in which time, and what becomes of what does not fit.</summary>
public sealed class PullBoundsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Beyond_the_fetches_at_once_pulls_wait_and_previews_are_told_to_come_again()
    {
        await using FeedsHost host = await HostAsync(o => (o.MaxFetches, o.PreviewPatience) = (1, TimeSpan.FromMilliseconds(50)));
        await using HostileServer slow = await HostileServer.StartAsync(HeldAsync), quick = await HostileServer.TextAsync("bad.example\n");
        Task<FeedRun> held = host.PullAsync(await host.CreateAsync("slow", "DomainNameSet", slow.Url));
        await FeedsHost.UntilAsync(() => Task.FromResult(!slow.Requests.IsEmpty));
        Feed feed = await host.CreateAsync("quick", "DomainNameSet", quick.Url);
        Task<FeedRun> waiting = host.PullAsync(feed);

        FeedPreview preview = await PreviewAsync(host, feed);
        Assert.True(preview.Busy);
        Assert.Contains("Pulling:MaxFetches", Assert.Single(preview.Problems));
        Assert.Empty(quick.Requests);

        _go.SetResult();
        Assert.Equal((RunOutcome.Replaced, RunOutcome.Replaced), ((await held).Outcome, (await waiting).Outcome));
        Assert.False((await PreviewAsync(host, feed)).Busy);
    }

    [Fact]
    public async Task Bodies_being_read_share_their_room_and_give_it_back()
    {
        await using FeedsHost host = await HostAsync(o => (o.MaxBytes, o.MaxSpoolBytes) = (200_000, 200_000));
        byte[] most = Body(150_000);
        await using HostileServer slow = await HostileServer.StartAsync(async c =>
        {
            await c.Response.Body.WriteAsync(most);
            await HeldAsync(c);
        });
        await using HostileServer other = await HostileServer.StartAsync(c => c.Response.Body.WriteAsync(most).AsTask());
        Task<FeedRun> held = host.PullAsync(await host.CreateAsync("slow", "DomainNameSet", slow.Url));
        Feed feed = await host.CreateAsync("other", "DomainNameSet", other.Url);
        await FeedsHost.UntilAsync(() => Task.FromResult(new DirectoryInfo(Path.Combine(_folder.Path, "pulling")).EnumerateFiles().Sum(f => f.Length) > most.Length - 8192));
        FeedPreview preview = await PreviewAsync(host, feed);
        Assert.True(preview.Busy);
        Assert.Contains("Pulling:MaxSpoolBytes allows (200000 bytes)", Assert.Single(preview.Problems));
        FeedRun failed = await host.PullAsync(feed);
        Assert.Equal(RunOutcome.Failed, failed.Outcome);
        Assert.Contains("Pulling:MaxSpoolBytes", failed.Message);

        _go.SetResult();
        Assert.Equal(RunOutcome.Replaced, (await held).Outcome);
        // As often as it would fill up if anything stayed taken, also by a body that broke.
        for (int i = 0; i < 3; i++)
        {
            other.Answer = c => c.Response.Body.WriteAsync(Body(250_000)).AsTask();
            Assert.Contains("Pulling:MaxBytes", (await host.PullAsync(feed)).Message);
            other.Answer = c => c.Response.Body.WriteAsync(most).AsTask();
            Assert.Contains((await host.PullAsync(feed)).Outcome, new RunOutcome?[] { RunOutcome.Replaced, RunOutcome.Unchanged });
        }
    }

    [Fact]
    public async Task A_body_that_takes_too_long_to_read_ends_with_the_time_of_the_pull_and_of_the_preview()
    {
        await using FeedsHost host = await HostAsync(o => (o.PullTimeout, o.PreviewTimeout) = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2)));
        await using HostileServer server = await HostileServer.TextAsync("{\"a\": [" + string.Join(',', Enumerable.Range(0, 300_000).Select(i => $"{{\"k{i}\": 1}}")) + "]}");
        // Each name is compared with each of the path: some minutes of work.
        string path = $"$..[{string.Join(',', Enumerable.Range(0, 80_000).Select(i => $"'n{i}'"))}]";
        var manifest = FeedsHost.Manifest("names", "DomainNameSet", server.Url);
        manifest["spec"]!["pull"]!["http"]!["format"] = new System.Text.Json.Nodes.JsonObject { ["json"] = new System.Text.Json.Nodes.JsonObject { ["path"] = path } };
        Assert.IsType<FeedChangeResult.Ok>(await host.Get<FeedChanges>().CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default));
        Feed feed = (await host.Get<FeedCatalog>().FindAsync("names", default))!.Feed;

        FeedRun run = await host.PullAsync(feed);
        Assert.Equal(RunOutcome.Kept, run.Outcome);
        Assert.Contains("took longer than 2 s, the limit of a pull", run.Message);
        Assert.Contains("took longer than 2 s, the limit of a preview", Assert.Single((await PreviewAsync(host, feed)).Problems));
    }

    [Fact]
    public async Task A_body_with_more_indicators_than_may_be_held_keeps_the_set_and_names_the_setting()
    {
        await using FeedsHost host = await HostAsync(o => o.MaxIndicatorBytes = 1 << 20);
        await using HostileServer server = await HostileServer.StartAsync(c => c.Response.Body.WriteAsync(Body(2_000_000)).AsTask());
        Feed feed = await host.CreateAsync("names", "DomainNameSet", server.Url);
        FeedRun run = await host.PullAsync(feed);
        Assert.Equal(RunOutcome.Kept, run.Outcome);
        Assert.Contains("1 MiB", run.Message);
        Assert.Contains("Pulling:MaxIndicatorBytes", run.Message);
        Assert.Contains("Pulling:MaxIndicatorBytes", (await PreviewAsync(host, feed)).Problems[0]);
    }

    [Fact]
    public void A_spool_in_which_one_body_would_not_fit_is_refused_at_start()
    {
        Assert.Equal(400L, new PullingOptions { MaxBytes = 100 }.SpoolBytes);
        Assert.Equal(long.MaxValue, new PullingOptions { MaxBytes = long.MaxValue }.SpoolBytes);
        var options = new PullingOptions { MaxBytes = 100, MaxSpoolBytes = 99 };
        Assert.Contains("use at least 100", Assert.Single(options.Validate(new ValidationContext(options))).ErrorMessage);
        options.MaxSpoolBytes = 100;
        Assert.Empty(options.Validate(new ValidationContext(options)));
    }

    private async Task HeldAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        await _go.Task.WaitAsync(FetchingTest.Bound);
        await context.Response.WriteAsync("last.example\n");
    }

    private Task<FeedsHost> HostAsync(Action<PullingOptions> change)
    {
        var options = new PullingOptions();
        options.AllowedNetworks.Add("127.0.0.0/8");
        change(options);
        return FeedsHost.CreateAsync(_folder.Path, s => s.AddPulling(options, _folder.Path));
    }

    private static Task<FeedPreview> PreviewAsync(FeedsHost host, Feed feed) => host.Get<FeedPreviewer>().PreviewAsync(feed, default).WaitAsync(FetchingTest.Bound);

    private static byte[] Body(int bytes)
    {
        var text = new StringBuilder();
        for (int i = 0; text.Length < bytes; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"name{i}.example\n");
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
