using System.Text.Json.Nodes;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>An object as JSON, or as YAML when the client would rather have that.</summary>
internal sealed class ObjectAnswer(int status, JsonObject document) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = status;
        if (WantsYaml(httpContext.Request))
        {
            response.ContentType = "application/yaml; charset=utf-8";
            await response.WriteAsync(ManifestYaml.Write(document), httpContext.RequestAborted);
            return;
        }
        response.ContentType = "application/json; charset=utf-8";
        await JsonSerializer.SerializeAsync(response.Body, document, cancellationToken: httpContext.RequestAborted);
    }

    /// <summary>The first type of the Accept header (by weight) that we know decides.</summary>
    internal static bool WantsYaml(HttpRequest request)
    {
        IList<MediaTypeHeaderValue> accepted = request.GetTypedHeaders().Accept;
        foreach (MediaTypeHeaderValue type in accepted.OrderByDescending(t => t.Quality ?? 1))
        {
            if (ManifestBody.IsYaml(type.MediaType.Value))
            {
                return true;
            }
            if (type.MatchesAllTypes || type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }
        return false;
    }
}
