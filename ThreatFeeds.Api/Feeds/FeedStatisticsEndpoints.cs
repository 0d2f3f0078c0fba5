using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Feeds;
using ThreatFeeds.Sets;

namespace ThreatFeeds.Api.Feeds;

/// <summary>Figures of one feed.</summary>
internal static class FeedStatisticsEndpoints
{
    public static void MapFeedStatistics(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/feeds/{name}/statistics", GetAsync).WithTags("Feeds")
            .WithSummary("Hits, last hit, overlap with other feeds, share that only this feed lists")
            .Produces<FeedFigures>().ProducesProblem(404).ProducesProblem(409);

    private static async Task<IResult> GetAsync(FeedStatistics statistics, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await statistics.GetAsync(name, cancellationToken) is { } figures
                ? Results.Ok(figures)
                : Problems.Problem(404, "feed-not-found", "No such feed", $"There is no feed {name}.");
        }
        catch (DamagedSetException damaged)
        {
            return FeedEndpoints.Damaged(damaged);
        }
    }
}
