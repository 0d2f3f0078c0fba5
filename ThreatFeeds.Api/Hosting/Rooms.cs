using System.Buffers;
using System.Text.Json;
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
using ThreatFeeds.Vocabulary;
using ThreatFeeds.Web;

namespace ThreatFeeds.Api.Hosting;

/// <summary>The one list of rooms: what each adds and what each maps, in the order of the arrows.</summary>
internal static class Rooms
{
    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        string folder = settings.Data.Directory;
        IServiceCollection services = builder.Services;
        services.AddStorage(settings.Storage, folder);
        services.AddResources();
        services.AddSets();
        services.AddListings();
        services.AddRuns(folder);
        services.AddFeeds(path => JsonPath.TryParse(path, out _, out string? problem) ? null : problem);
        services.AddPulling(settings.Pulling, folder);
        services.AddPushing();
        services.AddLogs();
        services.AddEmbedded(Embedded(folder, settings.Retention.MaxBytes));
        services.AddAlerts(settings.Alerts);
        services.AddSearching(settings.Retention);
        services.AddJobs(Jobs(settings));
        services.AddKubernetesShaped();
        services.AddElasticsearchShaped();
        services.AddConsole(p => bytes => p.GetRequiredService<PageBudget>().TryHold(bytes * RequestBody.CopiesAsNodes));
        if (settings.Hosting.Demo)
        {
            services.AddSingleton(p => new DemoTarget(
                CreateFeed(p.GetRequiredService<FeedChanges>()), PushNames(p.GetRequiredService<PushSet>()), p.GetRequiredService<ILogStore>().AppendAsync));
        }
    }

    public static void Map(WebApplication app)
    {
        app.MapKubernetesShaped();
        app.MapElasticsearchShaped(app.Services.GetRequiredService<Settings>().Alerts.Cluster);
        app.MapFeeds();
        app.MapFeedStatistics();
        app.MapIndicators();
        app.MapLogs();
        app.MapAlerts();
        app.MapSearches();
        app.MapConsole();
    }

    /// <summary>A size limit deletes whole segments: they must be small beside it, or a limit would take far more than it has to.</summary>
    private static EmbeddedOptions Embedded(string folder, long? maxBytes)
    {
        var options = new EmbeddedOptions(folder) { FolderHeld = true };
        return maxBytes is { } most ? options with { MaxBytes = most, SegmentBytes = Math.Min(options.SegmentBytes, most / 16) } : options;
    }

    /// <summary>Jobs have to be done a little before the process has to.</summary>
    private static JobOptions Jobs(Settings settings) => new(
        settings.Storage.Provider == DatabaseProvider.Postgres ? settings.Storage.ConnectionString : null, TimeSpan.FromSeconds(settings.Hosting.ShutdownSeconds) * 0.8);

    private static CreateFeed CreateFeed(FeedChanges changes) => async (JsonObject manifest, CancellationToken cancellationToken) =>
    {
        if (await changes.CreateAsync(manifest, FeedChangeOptions.Default, Actor.System, cancellationToken) is FeedChangeResult.Invalid invalid)
        {
            throw new InvalidOperationException($"The sample {invalid.Name} is invalid: {string.Join("; ", invalid.Problems.Select(p => $"{p.Path}: {p.Message}"))}");
        }
    };

    private static PushNames PushNames(PushSet push) => async (string feed, JsonObject document, CancellationToken cancellationToken) =>
    {
        var taken = PushDocument.Read(ContentKind.DomainNameSet, new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(document)), cancellationToken);
        PushResult result = await push.PushAsync(feed, taken, Actor.System, cancellationToken, PushMode.Create);
        // A demo that is started again finds it there.
        if (result.Status is not (PushStatus.Stored or PushStatus.Exists))
        {
            throw new InvalidOperationException($"The sample document for {feed} was not taken: {result.Message}");
        }
    };
}
