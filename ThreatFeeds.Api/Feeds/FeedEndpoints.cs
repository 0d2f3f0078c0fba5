using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Api.KubernetesShaped;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pulling;
using ThreatFeeds.Runs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Feeds;

/// <summary>What of feeds goes past the Kubernetes resource: preview, pulls, history, the set, the manifest.</summary>
internal static class FeedEndpoints
{
    private const int MaxIndicators = 1000;

    public static void MapFeeds(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/v1/feeds").WithTags("Feeds");
        group.MapPost("preview", PreviewAsync).WithSummary("Fetch and read a feed without storing anything")
            .WithDescription("The body is the manifest of a feed, JSON or YAML, at most 1 MiB. The answer shows what the feed would give; when nothing could be fetched, status is null or not 200 and problems say why. A header whose value stands in a Secret or ConfigMap is sent only when a feed of that name is saved, and only to the server (scheme, host and port) that it is saved with; otherwise problems say that it was not.")
            .Accepts<JsonObject>("application/json", "application/yaml")
            .Produces<FeedPreview>().ProducesProblem(400).ProducesProblem(413).ProducesProblem(422);
        group.MapPost("{name}/pull", PullAsync).WithSummary("Pull a feed now")
            .WithDescription("The run is accepted and survives a restart. While one is queued, that one is returned.")
            .Produces<FeedRun>(202).ProducesProblem(404).ProducesProblem(409);
        group.MapGet("{name}/runs", RunsAsync).WithSummary("List the feed's pulls and pushes, newest first")
            .WithDescription("limit is 1 to 100 (default 50); after is the next value of the page before.")
            .Produces<Page<FeedRun>>().ProducesProblem(400).ProducesProblem(404);
        group.MapGet("{name}/runs/{id}", RunAsync).WithSummary("Read one pull or push, with what it refused")
            .WithDescription("refusals holds at most 100 entries, with their line and the reason.")
            .Produces<FeedRun>().ProducesProblem(404);
        group.MapGet("{name}/indicators", IndicatorsAsync).WithSummary("List the feed's indicators")
            .WithDescription("q keeps those that contain the text. limit is 1 to 1000 (default 100); after is the next value of the page before.")
            .Produces<Page<string>>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        group.MapGet("{name}/manifest", ManifestAsync).WithSummary("Download the feed's manifest as YAML")
            .Produces<string>(200, "application/yaml").ProducesProblem(404);
    }

    private static async Task<IResult> PreviewAsync(HttpRequest request, FeedReader reader, FeedPreviewer previewer, CancellationToken cancellationToken)
    {
        RequestBody body = await RequestBody.ReadAsync(request, ManifestText.MaxBytes, cancellationToken, RequestBody.CopiesAsNodes);
        if (body.Outcome != BodyOutcome.Whole)
        {
            return body.Outcome switch
            {
                BodyOutcome.TooLong => Problems.Problem(413, "manifest-too-large", "The manifest is too large", "A manifest may have 1 MiB."),
                BodyOutcome.UnknownEncoding => Problems.Problem(415, "unsupported-encoding", "The encoding is not known", $"Content-Encoding '{body.Encoding}' is not supported; send gzip or none."),
                _ => Problems.Problem(400, "broken-gzip", "The body is not gzip", "The body is not whole gzip data."),
            };
        }
        if (body.Bytes.IsEmpty)
        {
            return Problems.Problem(400, "manifest-empty", "There is no manifest", "Send the manifest of a GlobalThreatFeed as JSON or YAML.");
        }
        JsonObject document;
        try
        {
            document = ManifestText.Read(body.InOnePiece());
        }
        catch (ManifestException e)
        {
            return Problems.Problem(400, "manifest-unreadable", "The manifest cannot be read", e.Message);
        }
        FeedReading reading = reader.Read(document);
        if (reading.Manifest is null)
        {
            return Problems.Problem(422, "manifest-invalid", "The manifest breaks rules", string.Join("; ", reading.Problems));
        }
        FeedPreview preview = await previewer.PreviewAsync(reading.Manifest.Feed, cancellationToken);
        if (preview.Busy)
        {
            request.HttpContext.Response.Headers.RetryAfter = ProblemExceptionHandler.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            return Problems.Problem(503, "busy", "Busy", string.Join(" ", preview.Problems));
        }
        return Results.Ok(preview);
    }

    private static async Task<IResult> PullAsync(string name, FeedCatalog feeds, RunQueue runs, Actor actor, CancellationToken cancellationToken)
    {
        if (await feeds.FindAsync(name, cancellationToken) is not { Feed: var feed })
        {
            return NoFeed(name);
        }
        if (feed.Spec.Pull is null)
        {
            return Problems.Problem(409, "feed-is-pushed", "The feed is not pulled", $"The feed {name} has no spec.pull: its set is pushed.");
        }
        if (!feed.Spec.Enabled)
        {
            return Problems.Problem(409, "feed-is-disabled", "The feed is disabled", $"The feed {name} is disabled; enable it (spec.mode: Enabled), which pulls it at once.");
        }
        return Results.Accepted($"/v1/feeds/{Uri.EscapeDataString(name)}/runs", RunHistory.View(await runs.EnqueueAsync(feed, RunTrigger.Manual, actor, cancellationToken)));
    }

    private static async Task<IResult> RunsAsync(string name, string? after, int? limit, FeedCatalog feeds, RunHistory runs, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > RunHistory.Kept)
        {
            return WrongLimit(RunHistory.Kept);
        }
        if (after is not null && !RunHistory.IsCursor(after))
        {
            return Problems.Problem(400, "invalid-filter", "A filter cannot be used", "after: use the next value of the page before.");
        }
        return await feeds.FindAsync(name, cancellationToken) is { Feed: var feed }
            ? Results.Ok(await runs.ListAsync(feed, after, limit ?? 50, cancellationToken))
            : NoFeed(name);
    }

    private static async Task<IResult> RunAsync(string name, string id, FeedCatalog feeds, RunHistory runs, CancellationToken cancellationToken)
    {
        if (await feeds.FindAsync(name, cancellationToken) is not { Feed: var feed })
        {
            return NoFeed(name);
        }
        return await runs.FindAsync(feed, id, cancellationToken) is { } run
            ? Results.Ok(run)
            : Problems.Problem(404, "run-not-found", "No such run", $"The feed {name} has no run {id}; the last {RunHistory.Kept} are kept.");
    }

    private static async Task<IResult> IndicatorsAsync(string name, string? after, int? limit, string? q, FeedCatalog feeds, ListedSets sets, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > MaxIndicators)
        {
            return WrongLimit(MaxIndicators);
        }
        if (await feeds.FindAsync(name, cancellationToken) is null)
        {
            return NoFeed(name);
        }
        try
        {
            return Results.Ok(await sets.IndicatorsAsync(name, after, limit ?? 100, cancellationToken, string.IsNullOrEmpty(q) ? null : q));
        }
        catch (DamagedSetException damaged)
        {
            return Damaged(damaged);
        }
    }

    private static async Task<IResult> ManifestAsync(HttpContext context, string name, FeedCatalog feeds, CancellationToken cancellationToken)
    {
        if (await feeds.FindRowAsync(name, cancellationToken) is not { } row)
        {
            return NoFeed(name);
        }
        OutgoingAnswer.Of(context).Making.Take(FeedAnswers.Weight(row));
        return Results.File(Encoding.UTF8.GetBytes(FeedManifest.ToYaml(row)), "application/yaml", $"{name}.yaml");
    }

    /// <summary>The client can mend it: what it waits for is the next body.</summary>
    internal static IResult Damaged(DamagedSetException damaged) => Problems.Problem(409, "set-damaged", "The stored set is damaged", damaged.Message);

    private static IResult NoFeed(string name) => Problems.Problem(404, "feed-not-found", "No such feed", $"There is no feed {name}.");

    private static IResult WrongLimit(int max) => Problems.Problem(400, "invalid-limit", "The limit cannot be used", $"limit: use 1 to {max}.");
}
