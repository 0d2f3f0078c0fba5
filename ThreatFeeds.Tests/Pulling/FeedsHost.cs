using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Embedded;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Pushing;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>The rooms from feeds to schedules on a real SQLite file, with a web server in front when the test maps one.</summary>
internal sealed class FeedsHost : IAsyncDisposable
{
    private FeedsHost(WebApplication app) => App = app;

    public WebApplication App { get; }

    public T Get<T>() where T : notnull => App.Services.GetRequiredService<T>();

    public RunHistory Runs => Get<RunHistory>();

    public RunQueue Queue => Get<RunQueue>();

    /// <summary>Adds everything else of Core, so that jobs run as they do in the whole process.</summary>
    public static void AddJobs(IServiceCollection services, string folder, string? postgres = null) => services
        .AddLogs().AddEmbedded(new EmbeddedOptions(folder)).AddAlerts(new AlertOptions()).AddSearching(new RetentionOptions())
        .AddJobs(new JobOptions(postgres, TimeSpan.FromSeconds(5)));

    public static async Task<FeedsHost> CreateAsync(string folder, Action<IServiceCollection>? add = null, Action<WebApplication>? map = null, string? postgres = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        IServiceCollection services = builder.Services;
        services.AddLogging();
        services.AddRouting();
        services.AddSingleton(TimeProvider.System);
        services.AddScoped(_ => Actor.Local);
        services.AddStorage(new StorageOptions { Provider = postgres is null ? DatabaseProvider.Sqlite : DatabaseProvider.Postgres, ConnectionString = postgres }, folder).AddResources().AddSets().AddListings().AddRuns(folder).AddFeeds(_ => null);
        var options = new PullingOptions { MaxBytes = 10_000_000, IdleTimeout = TimeSpan.FromSeconds(5) };
        options.AllowedNetworks.Add("127.0.0.0/8");
        services.AddPulling(options, folder).AddPushing();
        add?.Invoke(services);
        WebApplication app = builder.Build();
        map?.Invoke(app);
        await app.Services.GetRequiredService<IContextFactory>().MigrateAsync(default);
        return new FeedsHost(app);
    }

    public async Task StartAsync() => await App.StartAsync();

    /// <summary>Stops as a process does that is asked to end.</summary>
    public async ValueTask DisposeAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
    }

    public async Task<Feed> CreateAsync(string name, string content, string? url = null, string annotations = "{}", string mode = "Enabled", string headers = "[]")
    {
        var result = await Get<FeedChanges>().CreateAsync(Manifest(name, content, url, annotations, mode, headers), FeedChangeOptions.Default, Actor.Local, default);
        Assert.True(result is FeedChangeResult.Ok, result is FeedChangeResult.Invalid i ? string.Join("; ", i.Problems) : result.ToString());
        return (await Get<FeedCatalog>().FindAsync(name, default))!.Feed;
    }

    public async Task<Feed> ReplaceAsync(string name, string content, string? url = null, string annotations = "{}", string mode = "Enabled")
    {
        Assert.IsType<FeedChangeResult.Ok>(await Get<FeedChanges>().ReplaceAsync(name, Manifest(name, content, url, annotations, mode, "[]"), FeedChangeOptions.Default, Actor.Local, default));
        return (await Get<FeedCatalog>().FindAsync(name, default))!.Feed;
    }

    public static JsonObject Manifest(string name, string content, string? url, string annotations = "{}", string mode = "Enabled", string headers = "[]")
    {
        string pull = url is null ? "" : $$$""","pull": {"http": {"url": "{{{url}}}", "headers": {{{headers}}}}}""";
        return JsonNode.Parse($$$"""
            {"apiVersion": "projectcalico.org/v3", "kind": "GlobalThreatFeed", "metadata": {"name": "{{{name}}}", "annotations": {{{annotations}}}},
             "spec": {"content": "{{{content}}}", "mode": "{{{mode}}}"{{{pull}}}}}
            """)!.AsObject();
    }

    /// <summary>Queues, starts and carries out one pull.</summary>
    public async Task<FeedRun> PullAsync(Feed feed)
    {
        await Queue.EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        RunRow run = (await Queue.StartNextAsync(feed.Name, default))!;
        await Get<PullFeed>().RunAsync(run, default).WaitAsync(FeedFetcherTests.Bound);
        return RunHistory.View((await RunRows.FindAsync(Get<IContextFactory>(), run.Id))!);
    }

    public async Task<IReadOnlyList<string>> IndicatorsAsync(string feed) => (await Get<ListedSets>().IndicatorsAsync(feed, null, 1000, default)).Items;

    public async Task<IReadOnlyList<(ConditionType Type, string Message)>> ConditionsAsync(string feed) =>
        [.. (await Get<FeedCatalog>().FindAsync(feed, default))!.Status.ErrorConditions.Select(c => (c.Type, c.Message))];

    /// <summary>Changes rows behind the rooms' back, as time or a crash would.</summary>
    public async Task AlterAsync(Func<ThreatFeedsContext, Task> change)
    {
        using ThreatFeedsContext db = Get<IContextFactory>().Create();
        await change(db);
        await db.SaveChangesAsync();
    }

    /// <summary>Waits until something holds; fails after a minute and a half.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
