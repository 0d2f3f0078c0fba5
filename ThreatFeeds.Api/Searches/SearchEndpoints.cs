using ThreatFeeds.Searching;

namespace ThreatFeeds.Api.Searches;

/// <summary>What is searched and what is not yet.</summary>
internal static class SearchEndpoints
{
    public static void MapSearches(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/searches", GetAsync).WithTags("Searches")
            .WithSummary("What has been searched, what not yet, look-backs under way, what was dropped")
            .WithDescription("idle: every record kept has been compared with every indicator listed, and no accepted pull or push is unfinished. setAside: records that hit but cannot become alerts, or that could not be searched whole, and were passed; setAsideNewest: the newest 20 of them with their reasons. stalled: a search has work and has not moved for five minutes. gone: sources that are there no longer, the newest 100.")
            .Produces<SearchState>();

    private static async Task<IResult> GetAsync(SearchStates states, CancellationToken cancellationToken) => Results.Ok(await states.GetAsync(cancellationToken));
}
