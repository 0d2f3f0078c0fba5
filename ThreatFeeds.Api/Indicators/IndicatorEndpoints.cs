using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Api.Indicators;

/// <summary>Is a value listed?</summary>
internal static class IndicatorEndpoints
{
    public static void MapIndicators(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/indicators/{value}", GetAsync).WithTags("Indicators")
            .WithSummary("Which feeds list a name or an address, by which indicator, since when; its last hits")
            .WithMetadata(LargeAnswer.Mark).Produces<IndicatorAnswer>().ProducesProblem(400);

    private static async Task<IResult> GetAsync(IndicatorLookUp lookUp, string value, CancellationToken cancellationToken) =>
        await lookUp.FindAsync(value, cancellationToken) is { } answer
            ? Results.Ok(answer)
            : Problems.Problem(400, "invalid-value", "Neither a name nor an address", $"'{value}' is neither a domain name of at least two labels nor an IPv4 or IPv6 address.");
}
