using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Actors;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Benchmarks.Sets;

/// <summary>The rooms from feeds to pulling on a SQLite file of their own, with a web server on loopback that gives one file.</summary>
internal sealed class FeedWorld : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
    private readonly WebApplication _app;

    private FeedWorld()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        IServiceCollection services = builder.Services.AddLogging().AddSingleton(TimeProvider.System);
        services.AddStorage(new StorageOptions(), _folder).AddResources().AddSets().AddListings().AddRuns(_folder).AddFeeds(_ => null);
        var options = new PullingOptions();
        options.AllowedNetworks.Add("127.0.0.0/8");
        services.AddPulling(options, _folder);
        _app = builder.Build();
        _app.Run(context => context.Response.SendFileAsync(Body));
    }

    /// <summary>The file that the server gives.</summary>
    public string Body { get; set; } = "";

    /// <summary>Bytes of the database's files.</summary>
    public long Bytes => new DirectoryInfo(_folder).EnumerateFiles("threatfeeds.db*").Sum(f => f.Length);

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<FeedWorld> StartAsync()
    {
        var world = new FeedWorld();
        await world.Get<IContextFactory>().MigrateAsync(default);
        await world._app.StartAsync();
        return world;
    }

    /// <summary>A feed of names that is pulled from the server.</summary>
    public async Task<Feed> CreateAsync(string name)
    {
        var manifest = new JsonObject
        {
            ["apiVersion"] = "projectcalico.org/v3",
            ["kind"] = "GlobalThreatFeed",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["content"] = "DomainNameSet", ["pull"] = new JsonObject { ["http"] = new JsonObject { ["url"] = $"{_app.Urls.First()}/" } } },
        };
        await Get<FeedChanges>().CreateAsync(manifest, FeedChangeOptions.Default, Actor.Local, default);
        return (await Get<FeedCatalog>().FindAsync(name, default))!.Feed;
    }

    /// <summary>Pulls once, until what was pulled is what is searched with.</summary>
    public async Task<Snapshot> PullAsync(Feed feed)
    {
        await Get<RunQueue>().EnqueueAsync(feed, RunTrigger.Manual, Actor.Local, default);
        await Get<PullFeed>().RunAsync((await Get<RunQueue>().StartNextAsync(feed.Name, default))!, default);
        return await Get<Snapshots>().RefreshAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}
