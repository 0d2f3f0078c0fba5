using ThreatFeeds.Api.Hosting;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace ThreatFeeds.Api.OpenApi;

/// <summary>The description of our own API at <c>/openapi/v1.json</c>, and pages to read it at <c>/swagger</c>.</summary>
internal static class ApiDocument
{
    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "ThreatFeeds",
                Version = "v1",
                Description = "Finds bad addresses and names in DNS and flow logs. Feeds are Kubernetes resources below /apis; errors below /v1 are problem details (RFC 9457) with a stable code and a trace id.",
                License = new OpenApiLicense { Name = "Apache-2.0", Identifier = "Apache-2.0" },
            };
            // The address of whoever asked would differ from reader to reader.
            document.Servers = [];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            string path = "/" + (context.Description.RelativePath ?? "");
            if (path.StartsWith("/v1/", StringComparison.Ordinal))
            {
                AddProblems(operation);
            }
            AddExamples(operation, $"{context.Description.HttpMethod} {path}");
            return Task.CompletedTask;
        });
    });

    /// <summary>The pages come from the package's own resources; their scripts are files, as the content security policy asks.</summary>
    public static void UseApiPages(this IApplicationBuilder app) => app.UseSwaggerUI(pages =>
    {
        pages.SwaggerEndpoint("/openapi/v1.json", "ThreatFeeds v1");
        pages.RoutePrefix = "swagger";
        pages.DocumentTitle = "ThreatFeeds API";
    });

    public static void MapApiDocument(this IEndpointRouteBuilder app) => app.MapOpenApi("/openapi/{documentName}.json");

    private static void AddProblems(OpenApiOperation operation)
    {
        operation.Responses ??= [];
        AddProblem(operation, 400, "A value cannot be used.");
        AddProblem(operation, 403, "The request comes from a page of another origin.");
        AddProblem(operation, 421, "The Host header is not one of this server's.");
        AddProblem(operation, 500, "Something went wrong here.");
        AddProblem(operation, 503, "The call cannot be answered now: a store is away, or too much is under way. Retry-After says when to ask again.");
        if (operation.Parameters?.Any(p => p.In == ParameterLocation.Path) == true)
        {
            AddProblem(operation, 404, "There is none of that name.");
        }
        if (operation.RequestBody is not null)
        {
            AddProblem(operation, 408, "The body came too slowly.");
            AddProblem(operation, 413, "The body is larger than this call accepts.");
            AddProblem(operation, 415, "The body's content type or encoding is not one this call accepts.");
            AddProblem(operation, 507, "No room is left; nothing was stored.");
        }
    }

    private static void AddProblem(OpenApiOperation operation, int status, string description)
    {
        string key = status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (operation.Responses!.TryGetValue(key, out IOpenApiResponse? known) && known.Content is { Count: > 0 })
        {
            return;
        }
        operation.Responses[key] = new OpenApiResponse
        {
            Description = description,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [Problems.ContentType] = new()
                {
                    Example = new JsonObject
                    {
                        ["type"] = "about:blank",
                        ["title"] = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
                        ["status"] = status,
                        ["detail"] = description,
                        ["code"] = Problems.CodeOf(status),
                        ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
                    },
                },
            },
        };
    }

    private static void AddExamples(OpenApiOperation operation, string call)
    {
        foreach (OperationExample example in Examples.Of(call))
        {
            IDictionary<string, OpenApiMediaType>? content = example.Status is int status
                ? (operation.Responses?.GetValueOrDefault(status.ToString(System.Globalization.CultureInfo.InvariantCulture)) as OpenApiResponse) is { } response ? response.Content ??= new Dictionary<string, OpenApiMediaType>() : null
                : (operation.RequestBody as OpenApiRequestBody)?.Content;
            if (content is null)
            {
                continue;
            }
            if (content.Count == 0)
            {
                content["application/json"] = new OpenApiMediaType();
            }
            foreach (OpenApiMediaType type in content.Values)
            {
                type.Example ??= example.Value.DeepClone();
            }
        }
    }
}
