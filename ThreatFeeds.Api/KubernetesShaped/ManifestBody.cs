using ThreatFeeds.Api.Hosting;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>A body read; one of the two is null (both, for a body that may be absent and is).</summary>
internal readonly record struct ManifestReading(JsonObject? Document, IResult? Refusal);

/// <summary>Reads bodies of at most 1 MiB as JSON or YAML; without a Content-Type the text itself tells.</summary>
internal static class ManifestBody
{
    public const string MergePatchType = "application/merge-patch+json";

    public static bool IsYaml(string? mediaType) =>
        mediaType is not null && (mediaType.ToLowerInvariant() is "application/yaml" or "application/x-yaml" or "text/yaml" or "text/x-yaml" or "text/vnd.yaml");

    public static async Task<ManifestReading> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        string? type = MediaType(request);
        Func<ReadOnlyMemory<byte>, JsonObject>? read =
            string.IsNullOrEmpty(type) ? ManifestText.Read
            : string.Equals(type, "application/json", StringComparison.OrdinalIgnoreCase) ? ManifestText.ReadJson
            : IsYaml(type) ? ManifestText.ReadYaml
            : null;
        return read is null
            ? new ManifestReading(null, KubernetesStatus.UnsupportedMediaType(
                $"the body of the request was in an unknown format ({type}) - accepted media types include: application/json, application/yaml, text/yaml"))
            : await ReadAsync(request, read, cancellationToken);
    }

    public static async Task<ManifestReading> ReadPatchAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        string? type = MediaType(request);
        return string.Equals(type, MergePatchType, StringComparison.OrdinalIgnoreCase)
            ? await ReadAsync(request, ManifestText.ReadJson, cancellationToken)
            : new ManifestReading(null, KubernetesStatus.UnsupportedMediaType(
                $"the body of the request was in an unknown format ({type ?? "no Content-Type"}) - accepted media types include: {MergePatchType}"));
    }

    /// <summary>A body that may be absent.</summary>
    public static async Task<ManifestReading> ReadOptionalAsync(HttpRequest request, CancellationToken cancellationToken) =>
        request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && request.ContentLength != 0
            ? await ReadAsync(request, cancellationToken)
            : default;

    private static async Task<ManifestReading> ReadAsync(HttpRequest request, Func<ReadOnlyMemory<byte>, JsonObject> read, CancellationToken cancellationToken)
    {
        RequestBody body = await RequestBody.ReadAsync(request, ManifestText.MaxBytes, cancellationToken, RequestBody.CopiesAsNodes);
        if (body.Outcome != BodyOutcome.Whole)
        {
            return new ManifestReading(null, body.Outcome switch
            {
                BodyOutcome.TooLong => KubernetesStatus.TooLarge(),
                BodyOutcome.UnknownEncoding => KubernetesStatus.UnsupportedMediaType($"the Content-Encoding {body.Encoding} is not supported: send gzip or none"),
                _ => KubernetesStatus.BadRequest("the body is not gzip as its Content-Encoding says, or is cut short"),
            });
        }
        try
        {
            return new ManifestReading(read(body.InOnePiece()), null);
        }
        catch (ManifestException e)
        {
            return new ManifestReading(null, KubernetesStatus.BadRequest($"the manifest cannot be read: {e.Message}"));
        }
    }

    private static string? MediaType(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type) ? type.MediaType.Value : request.ContentType;
}
