using ThreatFeeds.Api.Hosting;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>An error that no call of ours made, as Elasticsearch would say it.</summary>
internal sealed class ElasticError(ProblemResult problem) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ElasticAnswers.NameProduct(httpContext);
        string type = problem.Status switch
        {
            400 or 405 or 415 => "illegal_argument_exception",
            403 or 421 => "security_exception",
            404 => "resource_not_found_exception",
            408 => "timeout_exception",
            413 => "content_too_long_exception",
            503 when problem.Code == "busy" => "circuit_breaking_exception",
            503 => "no_shard_available_action_exception",
            507 => "cluster_block_exception",
            _ => "exception",
        };
        return ElasticAnswers.ErrorAsync(httpContext, problem.Status, type, problem.Detail);
    }
}
