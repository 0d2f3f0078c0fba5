using Microsoft.AspNetCore.WebUtilities;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

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
        routes.MapPost(path, (HttpContext context, LogIngestion ingestion, Actor actor, string? format) => IngestAsync(context, ingestion, actor, kind, format))
            .WithName(name)
            .WithTags("Logs")
            .WithSummary(summary)
            .WithDescription("NDJSON, at most 64 MiB before and after decompression, lines of at most 1 MiB. 'format' names the log format (default calico). "
                + "With an Idempotency-Key a repeated request is stored once, and another body under the same key is refused (422); without one a retry after a lost answer is stored again.")
            .Produces<Ingestion>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status408RequestTimeout)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesProblem(StatusCodes.Status507InsufficientStorage);

    private static async Task<IResult> IngestAsync(HttpContext context, LogIngestion ingestion, Actor actor, LogKind kind, string? format)
    {
        string? key = context.Request.Headers["Idempotency-Key"];
        if (key is { Length: 0 or > LongestKey })
        {
            return Problem(StatusCodes.Status400BadRequest, "bad-idempotency-key", $"Idempotency-Key has 1 to {LongestKey} characters.");
        }
        RequestBody body = await RequestBody.ReadAsync(context.Request, LogIngestion.MostBytes, context.RequestAborted);
        switch (body.Outcome)
        {
            case BodyOutcome.TooLong:
                return Problem(StatusCodes.Status413PayloadTooLarge, "too-large", $"The body is larger than {body.Most} bytes, as it came or unpacked; nothing was stored. Send it in parts.");
            case BodyOutcome.UnknownEncoding:
                return Problem(StatusCodes.Status415UnsupportedMediaType, "unsupported-encoding", $"Content-Encoding '{body.Encoding}' is not supported; send gzip or none.");
            case BodyOutcome.NotGzip:
                return Problem(StatusCodes.Status400BadRequest, "broken-gzip", "The body is not whole gzip data; nothing was stored.");
        }
        try
        {
            return Results.Ok(await ingestion.IngestAsync(kind, format ?? LogReaders.DefaultFormat, body.Bytes, key, actor, context.RequestAborted, body.Held.Take));
        }
        catch (UnknownLogFormatException e)
        {
            return Problem(StatusCodes.Status400BadRequest, "unknown-format", e.Message);
        }
        catch (KeyReusedException)
        {
            return Problem(StatusCodes.Status422UnprocessableEntity, "idempotency-key-reused",
                "This Idempotency-Key was used before for a body with other records; nothing was stored. Send it again under a key of its own, such as a digest of the body.");
        }
    }

    private static IResult Problem(int status, string code, string detail) =>
        Problems.Problem(status, code, ReasonPhrases.GetReasonPhrase(status), detail);
}
