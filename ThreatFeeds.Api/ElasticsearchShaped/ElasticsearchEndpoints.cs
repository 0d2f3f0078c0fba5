using ThreatFeeds.Api.Hosting;
using Microsoft.AspNetCore.Http.Features;
using ThreatFeeds.Pushing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>The calls that clients pushing threat feeds make, as Elasticsearch answers them.</summary>
internal static class ElasticsearchEndpoints
{
    private const string Prefix = "/elasticsearch";

    private const string Calls = "GET|HEAD /, PUT|POST /INDEX/_doc/ID, PUT|POST /INDEX/_create/ID, POST /INDEX/_update/ID, GET|HEAD|DELETE /INDEX/_doc/ID";

    public static IServiceCollection AddElasticsearchShaped(this IServiceCollection services) =>
        services.AddScoped<DocumentCalls>().AddSingleton(new ErrorShape(Prefix, problem => new ElasticError(problem)));

    /// <param name="cluster">Cluster:Name, which the names of indices carry.</param>
    public static void MapElasticsearchShaped(this IEndpointRouteBuilder routes, string cluster)
    {
        RequestDelegate handle = context => HandleAsync(context, cluster);
        routes.Map(Prefix, handle).ExcludeFromDescription();
        routes.Map($"{Prefix}/{{**path}}", handle).ExcludeFromDescription();
    }

    private static Task HandleAsync(HttpContext context, string cluster)
    {
        ElasticAnswers.NameProduct(context);
        string method = context.Request.Method;
        string[] path = Segments(context);
        if (path.Length == 0)
        {
            return HttpMethods.IsGet(method) || HttpMethods.IsHead(method)
                ? ElasticAnswers.WriteAsync(context, 200, ElasticAnswers.Info(cluster))
                : NotAllowedAsync(context, "GET, HEAD");
        }
        return path[0].StartsWith('_')
            ? ElasticAnswers.ErrorAsync(context, 400, "invalid_index_name_exception", $"the call [{method} /{string.Join('/', path)}] does not exist here; these do: {Calls}")
            : IndexAsync(context, path, cluster);
    }

    private static Task IndexAsync(HttpContext context, string[] path, string cluster)
    {
        string call = path.Length > 1 ? path[1] : "";
        if (call is not ("_doc" or "_create" or "_update") || path.Length < 3 || path[2].Length == 0)
        {
            string reason = call == "_doc" && path.Length < 3
                ? $"the document's id is missing: it is the feed's name, as in PUT /{path[0]}/_doc/my-threat-feed"
                : $"the call [{context.Request.Method} /{string.Join('/', path)}] does not exist here; these do: {Calls}";
            return ElasticAnswers.ErrorAsync(context, 400, "illegal_argument_exception", reason);
        }
        if (path.Length > 3)
        {
            string reason = Array.IndexOf(path, "_doc", 2) > 0
                ? $"the path holds /_doc/ twice; write /{path[0]}/_doc/{path[2]}"
                : $"the path goes on after the document's id; write /{path[0]}/_doc/{path[2]}";
            return ElasticAnswers.ErrorAsync(context, 400, "illegal_argument_exception", reason);
        }
        FeedIndex index = FeedIndex.Of(path[0], cluster);
        if (index.Content is not { } content)
        {
            return ElasticAnswers.ErrorAsync(context, 404, "index_not_found_exception", index.Problem!);
        }
        if (!IsName(path[2]))
        {
            return ElasticAnswers.ErrorAsync(context, 400, "illegal_argument_exception",
                $"the document's id must be the name of a feed: lower-case letters, digits, '-' and '.', at most 200 characters; not '{Cut(path[2])}'");
        }
        return DocumentAsync(context, call, new DocumentName(path[0], content, path[2]));
    }

    private static Task DocumentAsync(HttpContext context, string call, DocumentName name)
    {
        DocumentCalls calls = context.RequestServices.GetRequiredService<DocumentCalls>();
        string method = context.Request.Method;
        bool write = HttpMethods.IsPut(method) || HttpMethods.IsPost(method);
        bool create = call == "_create" || context.Request.Query["op_type"] == "create";
        return (call, method) switch
        {
            ("_doc" or "_create", _) when write => calls.PutAsync(context, name, create ? PushMode.Create : PushMode.Put),
            ("_update", "POST") => calls.UpdateAsync(context, name),
            ("_doc", "GET" or "HEAD") => calls.GetAsync(context, name),
            ("_doc", "DELETE") => calls.DeleteAsync(context, name),
            ("_doc", _) => NotAllowedAsync(context, "GET, HEAD, PUT, POST, DELETE"),
            ("_create", _) => NotAllowedAsync(context, "PUT, POST"),
            _ => NotAllowedAsync(context, "POST"),
        };
    }

    private static Task NotAllowedAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return ElasticAnswers.ErrorAsync(context, 405, "illegal_argument_exception",
            $"Incorrect HTTP method for uri [{context.Request.Path}] and method [{context.Request.Method}], allowed: [{allowed}]");
    }

    /// <summary>
    /// The path below the prefix. Taken from the request line, since routing leaves the encoded slash of date-math names
    /// (<c>now%2Fs</c>) as it is and cannot tell it from one that was written so.
    /// </summary>
    private static string[] Segments(HttpContext context)
    {
        string target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        string path = target.StartsWith('/') ? target.Split('?', 2)[0] : context.Request.PathBase + context.Request.Path;
        int at = path.IndexOf(Prefix, StringComparison.OrdinalIgnoreCase);
        string rest = at < 0 ? "" : path[(at + Prefix.Length)..];
        return [.. rest.Trim('/').Split('/').Where(s => s.Length > 0).Select(Uri.UnescapeDataString)];
    }

    private static bool IsName(string id) =>
        id.Length <= 200 && id.Split('.').All(label => label.Length is > 0 and <= 200 && char.IsAsciiLetterOrDigit(label[0]) && char.IsAsciiLetterOrDigit(label[^1])
            && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));

    private static string Cut(string text) => VisibleText.Of(text, 80);
}
