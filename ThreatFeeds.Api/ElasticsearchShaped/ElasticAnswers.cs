using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>Answers as Elasticsearch shapes them.</summary>
internal static class ElasticAnswers
{
    private const string CompatibleType = "application/vnd.elasticsearch+json;compatible-with=8";

    /// <summary>Characters that are written at once.</summary>
    private const int Piece = 32 << 10;

    /// <summary>The version claimed: clients of 8.x check that they talk to a server they know.</summary>
    public const string Version = "8.19.0";

    /// <summary>Official clients refuse an answer without it.</summary>
    public static void NameProduct(HttpContext context) => context.Response.Headers["X-Elastic-Product"] = "Elasticsearch";

    public static Task ErrorAsync(HttpContext context, int status, string type, string reason)
    {
        JsonObject Cause() => new() { ["type"] = type, ["reason"] = reason };
        JsonObject error = Cause();
        error["root_cause"] = new JsonArray(Cause());
        return WriteAsync(context, status, new JsonObject { ["error"] = error, ["status"] = status });
    }

    public static async Task WriteAsync(HttpContext context, int status, JsonObject answer)
    {
        Begin(context, status);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.WriteAsync(Text(context, answer), context.RequestAborted);
        }
    }

    /// <summary>Writes the answer with a document as it was stored for its <c>_source</c>, piece by piece.</summary>
    public static async Task WriteSourceAsync(HttpContext context, JsonObject answer, string document)
    {
        Begin(context, StatusCodes.Status200OK);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }
        answer["_source"] = null;
        string frame = Text(context, answer);
        int place = frame.LastIndexOf("null", StringComparison.Ordinal);
        await context.Response.WriteAsync(frame[..place], context.RequestAborted);
        for (int at = 0, length; at < document.Length; at += length)
        {
            length = Math.Min(Piece, document.Length - at);
            // A pair must not be torn.
            length -= at + length < document.Length && char.IsHighSurrogate(document[at + length - 1]) ? 1 : 0;
            await context.Response.WriteAsync(document.Substring(at, length), context.RequestAborted);
        }
        await context.Response.WriteAsync(frame[(place + "null".Length)..], context.RequestAborted);
    }

    private static void Begin(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        // Clients of 8.x ask for their own media type and check that they get it.
        string accept = context.Request.Headers.Accept.ToString();
        context.Response.ContentType = accept.Contains("application/vnd.elasticsearch+json", StringComparison.OrdinalIgnoreCase) ? CompatibleType : "application/json";
    }

    private static string Text(HttpContext context, JsonObject answer)
    {
        bool pretty = context.Request.Query.TryGetValue("pretty", out var value) && value != "false";
        return answer.ToJsonString(new JsonSerializerOptions { WriteIndented = pretty }) + (pretty ? "\n" : "");
    }

    public static JsonObject Info(string cluster) => new()
    {
        ["name"] = "threatfeeds",
        ["cluster_name"] = cluster,
        ["cluster_uuid"] = "threatfeeds",
        ["version"] = new JsonObject
        {
            ["number"] = Version,
            ["build_flavor"] = "default",
            ["build_type"] = "docker",
            ["build_hash"] = "threatfeeds",
            ["build_date"] = "2025-07-23T22:05:51Z",
            ["build_snapshot"] = false,
            ["lucene_version"] = "9.12.2",
            ["minimum_wire_compatibility_version"] = "7.17.0",
            ["minimum_index_compatibility_version"] = "7.0.0",
        },
        ["tagline"] = "You Know, for Search",
    };

    /// <param name="result">created, updated, deleted or not_found.</param>
    public static JsonObject Written(string index, string id, long version, string result) => new()
    {
        ["_index"] = index,
        ["_id"] = id,
        ["_version"] = version,
        ["result"] = result,
        ["_shards"] = new JsonObject { ["total"] = 1, ["successful"] = 1, ["failed"] = 0 },
        ["_seq_no"] = Math.Max(version - 1, 0),
        ["_primary_term"] = 1,
    };
}
