using ThreatFeeds.Api.Hosting;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Primitives;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>An answer that is a Kubernetes <c>Status</c>: every error, and the success of a delete.</summary>
internal sealed class KubernetesStatus : IResult, IStatusCodeHttpResult
{
    private static readonly ResourceKind Kind = ResourceKind.GlobalThreatFeed;
    private readonly JsonObject _body;
    private readonly int _code;

    private KubernetesStatus(int code, string? reason, string? message, JsonObject? details)
    {
        _code = code;
        bool success = code < 300;
        _body = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = success ? "Success" : "Failure",
        };
        Add("message", message);
        Add("reason", reason);
        Add("details", details);
        if (!success)
        {
            _body["code"] = code;
        }
    }

    public int? StatusCode => _code;

    public static KubernetesStatus Invalid(string name, IReadOnlyList<FeedProblem> problems)
    {
        JsonObject details = Details(name, Kind.Name);
        details["causes"] = new JsonArray(
            [.. problems.Select(p => new JsonObject { ["reason"] = p.Reason, ["message"] = p.Message, ["field"] = p.Path })]);
        string all = problems.Count == 1
            ? $"{problems[0]}"
            : $"[{string.Join(", ", problems)}]";
        return new KubernetesStatus(422, "Invalid", $"{Kind.Name}.{Kind.Group} \"{name}\" is invalid: {all}", details);
    }

    public static KubernetesStatus NotFound(string name) =>
        new(404, "NotFound", $"{Kind.Plural}.{Kind.Group} \"{name}\" not found", Details(name, Kind.Plural));

    public static KubernetesStatus AlreadyExists(string name) =>
        new(409, "AlreadyExists", $"{Kind.Plural}.{Kind.Group} \"{name}\" already exists", Details(name, Kind.Plural));

    public static KubernetesStatus Conflict(string name, string message) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {Kind.Plural}.{Kind.Group} \"{name}\": {message}", Details(name, Kind.Plural));

    public static KubernetesStatus BadRequest(string message) => new(400, "BadRequest", message, null);

    public static KubernetesStatus TooLarge() => new(413, "RequestEntityTooLarge", "a manifest has at most 1 MiB", null);

    public static KubernetesStatus UnsupportedMediaType(string message) => new(415, "UnsupportedMediaType", message, null);

    public static KubernetesStatus MethodNotAllowed(string name) => new(405, "MethodNotAllowed",
        $"the status of {Kind.Plural}.{Kind.Group} \"{name}\" is written by the server alone; it can only be read", Details(name, Kind.Plural));

    /// <summary>An error that no route of ours made.</summary>
    public static KubernetesStatus Of(ProblemResult problem) => new(problem.Status, problem.Status switch
    {
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        408 or 504 => "Timeout",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        >= 500 => "InternalError",
        _ => "Unknown",
    }, problem.Detail, null);

    public static KubernetesStatus Deleted(ResourceRow row)
    {
        JsonObject details = Details(row.Name, Kind.Plural);
        details["uid"] = row.Uid.ToString();
        return new KubernetesStatus(200, null, null, details);
    }

    /// <summary>Fields warned of by name; a client takes headers of a bounded size only.</summary>
    private const int MostWarnings = 20;

    /// <summary>The refusal of a client that asked for strictness.</summary>
    public static KubernetesStatus UnknownFields(Told<string> paths) => BadRequest(
        $"strict decoding error: {string.Join(", ", paths.Select(p => $"unknown field \"{p}\""))}{(paths.More > 0 ? $", and {paths.More} more unknown fields" : "")}");

    /// <summary>Warning headers, and one that says how many fields more there are than those named.</summary>
    public static StringValues UnknownFieldWarnings(Told<string> paths)
    {
        IEnumerable<string> named = paths.Take(MostWarnings).Select(UnknownFieldWarning);
        long more = paths.Count + paths.More - MostWarnings;
        return (string[])[.. more > 0 ? named.Append($"299 - \"{more} more unknown fields\"") : named];
    }

    /// <summary>A Warning header as RFC 7234 has it.</summary>
    private static string UnknownFieldWarning(string path)
    {
        // A header holds printable ASCII only; the path is the client's own text.
        string shown = string.Concat(path.Select(c => c is >= ' ' and <= '~' and not ('"' or '\\') ? c : '?'));
        return $"299 - \"unknown field \\\"{(shown.Length > 200 ? shown[..200] : shown)}\\\"\"";
    }

    public Task ExecuteAsync(HttpContext httpContext) => new ObjectAnswer(_code, _body).ExecuteAsync(httpContext);

    private static JsonObject Details(string name, string kind) => new() { ["name"] = name, ["group"] = Kind.Group, ["kind"] = kind };

    private void Add(string name, JsonNode? value)
    {
        if (value is not null)
        {
            _body[name] = value;
        }
    }
}
