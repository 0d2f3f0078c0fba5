using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Api.Logs;

/// <summary>
/// <c>POST /v1/logs/dns</c> and <c>/v1/logs/flows</c>: records as NDJSON, gzip allowed. Answers 200 with what was accepted and what was refused, also when
/// every line was refused; what is accepted is durable then. A retry is stored again unless it carries the <c>Idempotency-Key</c> of the first attempt.
/// </summary>
public static class LogEndpoints
{
    private const int LongestKey = 255;

    public static IEndpointRouteBuilder MapLogs(this IEndpointRouteBuilder routes)
    {
        Map(routes, "/v1/logs/dns", LogKind.Dns, "IngestDnsLogs", "Takes DNS records, one JSON object a line");
        Map(routes, "/v1/logs/flows", LogKind.Flow, "IngestFlowLogs", "Takes flow records, one JSON object a line");
        return routes;
    }

    private static void Map(IEndpointRouteBuilder routes, string path, LogKind kind, string name, string summary) =>
        routes.MapPost(path, (HttpContext context, LogIngestion ingestion, string? format) => IngestAsync(context, ingestion, kind, format))
            .WithName(name)
            .WithTags("Logs")
            .WithSummary(summary)
            .WithDescription("NDJSON, at most 64 MiB before and after decompression, lines of at most 1 MiB. 'format' names the log format (default calico). "
                + "With an Idempotency-Key a repeated request is stored once, and another body under the same key is refused (422); without one a retry after a lost answer is stored again.")
            .Produces<Ingestion>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesProblem(StatusCodes.Status507InsufficientStorage);

    private static async Task<IResult> IngestAsync(HttpContext context, LogIngestion ingestion, LogKind kind, string? format)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = LogIngestion.MostBytes;
        }
        if (context.Request.ContentLength > LogIngestion.MostBytes)
        {
            return TooLarge($"The body is larger than {LogIngestion.MostBytes} bytes. Send it in parts.");
        }
        string? key = context.Request.Headers["Idempotency-Key"];
        if (key is { Length: 0 or > LongestKey })
        {
            return Problem(StatusCodes.Status400BadRequest, "bad-idempotency-key", $"Idempotency-Key has 1 to {LongestKey} characters.");
        }
        string encoding = context.Request.Headers.ContentEncoding.ToString().Trim();
        bool gzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || encoding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "gzip";
            return Problem(StatusCodes.Status415UnsupportedMediaType, "unsupported-encoding", $"Content-Encoding '{encoding}' is not supported; send gzip or none.");
        }
        try
        {
            await using Stream body = gzip ? new WholeGzipStream(context.Request.Body) : context.Request.Body;
            return Results.Ok(await ingestion.IngestAsync(kind, format ?? LogReaders.DefaultFormat, body, key, context.RequestAborted));
        }
        catch (UnknownLogFormatException e)
        {
            return Problem(StatusCodes.Status400BadRequest, "unknown-format", e.Message);
        }
        catch (InvalidDataException)
        {
            return Problem(StatusCodes.Status400BadRequest, "broken-gzip", "The body is not whole gzip data; nothing was stored.");
        }
        catch (LogBodyTooLargeException e)
        {
            return TooLarge(e.Message);
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? TooLarge($"The body is larger than {LogIngestion.MostBytes} bytes. Send it in parts.")
                : Problem(e.StatusCode, "bad-request", e.Message);
        }
        catch (KeyReusedException)
        {
            return Problem(StatusCodes.Status422UnprocessableEntity, "idempotency-key-reused",
                "This Idempotency-Key was used before for a body with other records; nothing was stored. Send it again under a key of its own, such as a digest of the body.");
        }
        catch (LogStoreException e)
        {
            if (e.Busy)
            {
                context.Response.Headers.RetryAfter = "1";
            }
            return e.Full
                ? Problem(StatusCodes.Status507InsufficientStorage, "storage-full", e.Message)
                : Problem(StatusCodes.Status503ServiceUnavailable, "log-store-unavailable", e.Message);
        }
    }

    private static IResult TooLarge(string detail) => Problem(StatusCodes.Status413PayloadTooLarge, "too-large", detail);

    private static IResult Problem(int status, string code, string detail) =>
        Problems.Problem(status, code, ReasonPhrases.GetReasonPhrase(status), detail);
}
