using System.Text.Json.Nodes;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Api.Alerts;
using ThreatFeeds.Api.Demo;
using ThreatFeeds.Api.ElasticsearchShaped;
using ThreatFeeds.Api.Feeds;
using ThreatFeeds.Api.Indicators;
using ThreatFeeds.Api.KubernetesShaped;
using ThreatFeeds.Api.Logs;
using ThreatFeeds.Api.Searches;
using ThreatFeeds.Embedded;
using ThreatFeeds.Feeds;
using ThreatFeeds.Jobs;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Parsing;
using ThreatFeeds.Pulling;
using ThreatFeeds.Pushing;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Web;

namespace ThreatFeeds.Api.Hosting;

/// <summary>The one list of rooms: what each adds and what each maps, in the order of the arrows.</summary>
internal static class Rooms
{
    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        DataSettings data = settings.Data;
        IServiceCollection services = builder.Services;
        services.AddStorage(settings.Storage, settings.ConnectionString, data.Directory);
        services.AddResources();
        services.AddSets();
        services.AddListings();
        services.AddRuns(data.Directory);
        services.AddFeeds(path => JsonPath.TryParse(path, out _, out string? problem) ? null : problem);
        services.AddPulling(Pulling(settings), data.Directory);
        services.AddPushing();
        services.AddLogs();
        services.AddEmbedded(Embedded(data));
        services.AddAlerts(new AlertOptions { Cluster = settings.ClusterName, GroupingHours = settings.Alerts.GroupingHours, RetentionDays = settings.Alerts.RetentionDays });
        services.AddSearching(new RetentionOptions { RetentionDays = data.RetentionDays, MaxBytes = data.MaxBytes });
        services.AddJobs(new JobOptions(settings.Storage.Provider == "Postgres" ? settings.ConnectionString : null, TimeSpan.FromSeconds(5)));
        services.AddKubernetesShaped();
        services.AddElasticsearchShaped();
        services.AddConsole();
        if (settings.Demo)
        {
            services.AddSingleton(p => new DemoTarget(CreateFeed(p.GetRequiredService<FeedChanges>()), p.GetRequiredService<ILogStore>()));
        }
    }

    public static void Map(WebApplication app)
    {
        app.MapKubernetesShaped();
        app.MapElasticsearchShaped(app.Services.GetRequiredService<Settings>().ClusterName);
        app.MapFeeds();
        app.MapFeedStatistics();
        app.MapIndicators();
        app.MapLogs();
        app.MapAlerts();
        app.MapSearches();
        app.MapConsole();
    }

    /// <summary>A size limit deletes whole segments: they must be small beside it, or a limit would take far more than it has to.</summary>
    private static EmbeddedOptions Embedded(DataSettings data)
    {
        var options = new EmbeddedOptions(data.Directory) { FolderHeld = true };
        return data.MaxBytes is { } most ? options with { MaxBytes = most, SegmentBytes = Math.Min(options.SegmentBytes, most / 16) } : options;
    }

    private static PullingOptions Pulling(Settings settings)
    {
        var options = new PullingOptions { Proxy = settings.Pulling.Proxy?.AbsoluteUri, CaFile = settings.Pulling.CaFile };
        foreach (string network in settings.Pulling.AllowedNetworks)
        {
            options.AllowedNetworks.Add(network);
        }
        return options;
    }

    private static CreateFeed CreateFeed(FeedChanges changes) => async (JsonObject manifest, CancellationToken cancellationToken) =>
    {
        if (await changes.CreateAsync(manifest, FeedChangeOptions.Default, Actor.System, cancellationToken) is FeedChangeResult.Invalid invalid)
        {
            throw new InvalidOperationException($"The sample {invalid.Name} is invalid: {string.Join("; ", invalid.Problems.Select(p => $"{p.Path}: {p.Message}"))}");
        }
    };
}
