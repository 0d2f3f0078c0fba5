using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Data.Sqlite;
using Npgsql;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Errors as RFC 9457 problem details with a stable <c>code</c> and the trace id under which the log has the rest.</summary>
public static partial class Problems
{
    public const string ContentType = "application/problem+json";

    /// <param name="code">Stable and in kebab case; clients decide by it.</param>
    /// <param name="detail">For people; must hold no secret and nothing of an exception that was not meant for clients.</param>
    public static IResult Problem(int status, string code, string title, string detail) => new ProblemResult(status, code, title, detail);

    /// <summary>What a client is told of an exception.</summary>
    internal static ProblemResult Describe(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception switch
        {
            BadHttpRequestException { InnerException: JsonException json } => InvalidJson(json),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge or StatusCodes.Status408RequestTimeout } bad => OfStatus(bad.StatusCode),
            BadHttpRequestException bad => new(bad.StatusCode, CodeOf(bad.StatusCode), "Bad request", WithoutTypes(bad.Message)),
            JsonException json => InvalidJson(json),
            BudgetFullException { Never: true, Setting: var setting } => setting == AnswerBudget.Key
                ? new(500, "answer-too-large", "The answer is too large", $"The answer is larger than {setting} allows all answers together; ask for less, or raise it.")
                : new(413, "too-large", "Too large", $"What the body would hold in memory is more than {setting} allows all bodies together; nothing of it was used. Send it in parts."),
            BudgetFullException => new(503, "busy", "Busy", "The calls under way hold as much memory as they may together; send this one again later, or send or ask for less at once."),
            BodyTooSlowException => OfStatus(408),
            BodyBrokenOffException => new(400, "body-broken-off", "The body is not whole", "The body ended before all of it was here, or is not framed as HTTP has it; nothing of it was used."),
            LogStoreException { Full: true } => Full(),
            LogStoreException => new(503, "log-store-unavailable", "The log store cannot answer", "The log store cannot answer now; try again later."),
            _ when IsDiskFull(exception) => Full(),
            _ when DatabaseFaults.IsAway(exception) => new(503, "database-unavailable", "The database cannot answer", "The database cannot be reached now; try again later."),
            _ => new(500, "internal", "Internal error", "Something went wrong here; the log has it under this trace id."),
        };
    }

    /// <summary>What a client is told of a status that came without a word.</summary>
    internal static ProblemResult OfStatus(int status) => new(status, CodeOf(status), ReasonPhrases.GetReasonPhrase(status), status switch
    {
        404 => "No call of this API answers this request.",
        405 => "This path answers other methods; the Allow header names them.",
        408 => "The body came too slowly; nothing of it was used. Send it again, over a faster way or in parts.",
        413 => "The body is larger than this call accepts.",
        503 => "There is too much of this under way; ask again later.",
        415 => "This call does not take a body of this Content-Type.",
        _ => "The request cannot be answered as it is.",
    });

    /// <summary>The code of a status that nobody gave a better one.</summary>
    internal static string CodeOf(int status) => status switch
    {
        400 => "bad-request",
        403 => "forbidden",
        404 => "not-found",
        405 => "method-not-allowed",
        406 => "not-acceptable",
        408 => "too-slow",
        409 => "conflict",
        411 => "length-required",
        413 => "too-large",
        415 => "unsupported-media-type",
        421 => "wrong-host",
        429 => "too-many",
        503 => "busy",
        >= 500 => "internal",
        _ => "refused",
    };

    private static ProblemResult InvalidJson(JsonException json)
    {
        string where = json.LineNumber is long line ? $" (line {line + 1}, byte {json.BytePositionInLine + 1}{(json.Path is { Length: > 1 } path ? ", at " + path : "")})" : "";
        return new(400, "invalid-json", "Not valid JSON", $"The body is not the JSON this call expects{where}.");
    }

    /// <summary>What the framework says of a parameter names its type in our code, as in "Nullable&lt;int&gt; limit"; its name is enough.</summary>
    private static string WithoutTypes(string message) => ParameterWithType().Replace(message, "\"$1\"");

    [GeneratedRegex("\"[\\w<>\\[\\],.?]+ (\\w+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex ParameterWithType();

    private static ProblemResult Full() => new(507, "storage-full", "No room is left", "The disk or database of this server is full; nothing was stored.");

    private static bool IsDiskFull(Exception exception)
    {
        const int sqliteFull = 13;
        const int noSpaceLeft = 28;
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is SqliteException { SqliteErrorCode: sqliteFull } or PostgresException { SqlState: PostgresErrorCodes.DiskFull } or IOException { HResult: noSpaceLeft })
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>Writes itself as problem details.</summary>
internal sealed class ProblemResult(int status, string code, string title, string detail) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    public int Status => status;
    public string Code => code;
    public string Detail => detail;
    int? IStatusCodeHttpResult.StatusCode => status;
    string? IContentTypeHttpResult.ContentType => Problems.ContentType;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        string traceId = Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier;
        await httpContext.Response.WriteAsJsonAsync(
            new { type = "about:blank", title, status, detail, code, traceId }, JsonSerializerOptions.Web, Problems.ContentType, httpContext.RequestAborted);
    }
}
