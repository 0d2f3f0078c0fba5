using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Feeds;
using ThreatFeeds.Resources;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>Feeds as a Kubernetes API server answers for them.</summary>
public static class KubernetesRoutes
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";

    public static IServiceCollection AddKubernetesShaped(this IServiceCollection services) =>
        services.AddSingleton(new ErrorShape("/apis", KubernetesStatus.Of)).AddSingleton(new ErrorShape("/api", KubernetesStatus.Of));

    public static void MapKubernetesShaped(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup(Feeds).WithTags("Feeds");
        group.MapGet("", ListAsync).WithSummary("Lists feeds").WithMetadata(LargeAnswer.Mark).Answers(200);
        group.MapPost("", CreateAsync).WithSummary("Creates a feed from a manifest (JSON or YAML)").Takes("application/json", "application/yaml", "text/yaml").Answers(201, 400, 409, 413, 415, 422);
        group.MapGet("{name}", GetAsync).WithSummary("Reads a feed").Answers(200, 404);
        group.MapPut("{name}", ReplaceAsync).WithSummary("Replaces a feed; with metadata.resourceVersion only when it is current").Takes("application/json", "application/yaml", "text/yaml").Answers(200, 400, 404, 409, 413, 415, 422);
        group.MapPatch("{name}", PatchAsync).WithSummary("Changes a feed by a JSON merge patch (RFC 7396)").Takes(ManifestBody.MergePatchType).Answers(200, 400, 404, 409, 413, 415, 422);
        group.MapDelete("{name}", DeleteAsync).WithSummary("Deletes a feed; its alerts stay").Answers(200, 400, 404, 409);
        group.MapGet("{name}/status", GetAsync).WithSummary("Reads a feed with its status").Answers(200, 404);
        group.MapMethods("{name}/status", ["PUT", "PATCH", "POST", "DELETE"], RefuseStatusWrite).WithSummary("Always refused: the status is the server's").Answers(405);
    }

    private static async Task<IResult> ListAsync(FeedCatalog catalog, CancellationToken cancellationToken) =>
        new FeedAnswers.List(catalog, await catalog.VersionAsync(cancellationToken));

    private static async Task<IResult> GetAsync(HttpContext context, string name, FeedCatalog catalog, CancellationToken cancellationToken) =>
        await catalog.FindRowAsync(name, cancellationToken) is { } row ? FeedAnswers.One(context, row) : KubernetesStatus.NotFound(name);

    private static async Task<IResult> CreateAsync([AsParameters] ChangeRequest change)
    {
        ManifestReading body = await ManifestBody.ReadAsync(change.Request, change.CancellationToken);
        return change.Refusal ?? body.Refusal
            ?? Answer("", 201, change, await change.Changes.CreateAsync(body.Document!, change.Options, change.Actor, change.CancellationToken));
    }

    private static async Task<IResult> ReplaceAsync(string name, [AsParameters] ChangeRequest change)
    {
        ManifestReading body = await ManifestBody.ReadAsync(change.Request, change.CancellationToken);
        return change.Refusal ?? body.Refusal
            ?? Answer(name, 200, change, await change.Changes.ReplaceAsync(name, body.Document!, change.Options, change.Actor, change.CancellationToken));
    }

    private static async Task<IResult> PatchAsync(string name, [AsParameters] ChangeRequest change)
    {
        ManifestReading body = await ManifestBody.ReadPatchAsync(change.Request, change.CancellationToken);
        return change.Refusal ?? body.Refusal
            ?? Answer(name, 200, change, await change.Changes.PatchAsync(name, body.Document!, change.Options, change.Actor, change.CancellationToken));
    }

    private static async Task<IResult> DeleteAsync(string name, [AsParameters] ChangeRequest change)
    {
        ManifestReading body = await ManifestBody.ReadOptionalAsync(change.Request, change.CancellationToken);
        if ((change.Refusal ?? body.Refusal) is { } refusal)
        {
            return refusal;
        }
        if (!DeleteOptions.TryRead(body.Document, out ResourcePrecondition precondition, out bool dryRun))
        {
            return KubernetesStatus.BadRequest("the body of a delete is a DeleteOptions object whose preconditions are texts (uid, resourceVersion)");
        }
        FeedChangeOptions options = change.Options with { DryRun = change.Options.DryRun || dryRun };
        FeedChangeResult result = await change.Changes.DeleteAsync(name, precondition, options, change.Actor, change.CancellationToken);
        return result is FeedChangeResult.Ok ok ? KubernetesStatus.Deleted(ok.Row) : Answer(name, 200, change, result);
    }

    private static KubernetesStatus RefuseStatusWrite(string name, HttpResponse response)
    {
        response.Headers.Allow = "GET";
        return KubernetesStatus.MethodNotAllowed(name);
    }

    private static IResult Answer(string name, int status, ChangeRequest change, FeedChangeResult result)
    {
        switch (result)
        {
            case FeedChangeResult.Ok ok:
                if (change.Warns)
                {
                    change.Request.HttpContext.Response.Headers.Append("Warning", KubernetesStatus.UnknownFieldWarnings(ok.LeftOut));
                }
                return new ObjectAnswer(status, FeedManifest.WithDefaults(ResourceDocument.ToJson(ok.Row)));
            case FeedChangeResult.UnknownFields unknown:
                return KubernetesStatus.UnknownFields(unknown.Paths);
            case FeedChangeResult.Invalid invalid:
                return KubernetesStatus.Invalid(invalid.Name.Length > 0 ? invalid.Name : name, invalid.Problems);
            case FeedChangeResult.AlreadyExists exists:
                return KubernetesStatus.AlreadyExists(exists.Name);
            case FeedChangeResult.Conflict conflict:
                return KubernetesStatus.Conflict(name, conflict.Message);
            default:
                return KubernetesStatus.NotFound(name);
        }
    }

    /// <summary>For the documentation only: Accepts() would have routing answer 415 with an empty body, where clients expect a Status.</summary>
    private static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params string[] types) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true,
                Content = types.ToDictionary(t => t, _ => new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } }),
            };
            return Task.CompletedTask;
        });

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder route, int ok, params ReadOnlySpan<int> errors)
    {
        route.Produces<JsonObject>(ok, "application/json", "application/yaml");
        foreach (int error in errors)
        {
            route.Produces<JsonObject>(error, "application/json", "application/yaml");
        }
        return route;
    }
}

/// <summary>What every change of a feed comes with.</summary>
/// <param name="DryRun">Only <c>All</c> is known.</param>
/// <param name="FieldValidation">Warn (default), Strict or Ignore.</param>
internal sealed record ChangeRequest(
    HttpRequest Request, FeedChanges Changes, Actor Actor, [FromQuery(Name = "dryRun")] string? DryRun,
    [FromQuery(Name = "fieldValidation")] string? FieldValidation, CancellationToken CancellationToken)
{
    public FeedChangeOptions Options => new(DryRun == "All", FieldValidation == "Strict");

    public bool Warns => FieldValidation != "Ignore";

    /// <summary>Null when the query is understood.</summary>
    public IResult? Refusal => (DryRun, FieldValidation) switch
    {
        (not (null or "" or "All"), _) => KubernetesStatus.BadRequest($"dryRun: Unsupported value: \"{DryRun}\": supported values: \"All\""),
        (_, not (null or "" or "Warn" or "Strict" or "Ignore")) =>
            KubernetesStatus.BadRequest($"fieldValidation: Unsupported value: \"{FieldValidation}\": supported values: \"Ignore\", \"Strict\", \"Warn\""),
        _ => null,
    };
}
