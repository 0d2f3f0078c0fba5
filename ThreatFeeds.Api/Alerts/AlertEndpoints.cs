using Microsoft.AspNetCore.Mvc;
using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Alerts;

/// <summary>A change of several alerts; all of them or none.</summary>
/// <param name="Ids">1 to 1,000.</param>
public sealed record BulkChange(IReadOnlyList<string>? Ids, AlertChange? Change);

/// <param name="Changed">Alerts changed.</param>
public sealed record BulkChanged(int Changed);

/// <summary>Alerts under /v1.</summary>
internal static class AlertEndpoints
{
    private const int MaxIds = 1000;

    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/v1/alerts").WithTags("Alerts");
        group.MapGet("", ListAsync).WithSummary("List alerts, a page at a time")
            .WithDescription("Filters take several values with commas; an alert must pass all filters. sort is lastSeen, firstSeen, severity or count, with - before it for descending (default -lastSeen); alerts of one severity come in the order of lastSeen. limit is 1 to 500 (default 100); after is the next value of the page before.")
            .Produces<Page<AlertView>>().ProducesProblem(400);
        group.MapGet("{id}", GetAsync).WithSummary("Read one alert").Produces<AlertView>().ProducesProblem(404);
        group.MapGet("{id}/hits", HitsAsync).WithSummary("List the hits behind an alert, newest first, with their records as received")
            .WithDescription("limit is 1 to 500 (default 100); after is the next value of the page before. A page also ends when its records have 8 MiB, so that one with fewer hits than limit is the last only when next is null.")
            .WithMetadata(LargeAnswer.Mark).Produces<Page<HitView>>().ProducesProblem(400).ProducesProblem(404);
        group.MapPatch("{id}", PatchAsync).WithSummary("Change state or note of one alert").Produces<AlertView>().ProducesProblem(400).ProducesProblem(404);
        group.MapPatch("", PatchManyAsync).WithSummary("Change state or note of several alerts, all or none").Produces<BulkChanged>().ProducesProblem(400).ProducesProblem(404);
    }

    private static async Task<IResult> ListAsync(
        AlertQueries alerts, string? kind, string? feed, string? indicator, string? cluster, [FromQuery(Name = "namespace")] string? ns, string? workload,
        string? severity, string? state, string? since, string? until, string? sort, string? after, string? limit, CancellationToken cancellationToken)
    {
        var problems = new Dictionary<string, string>();
        DateTimeOffset? from = Time("since", since);
        DateTimeOffset? to = Time("until", until);
        int count = 100;
        if (limit is not null && !int.TryParse(limit, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out count))
        {
            problems["limit"] = "use 1 to 500";
            count = 100;
        }
        var filter = new AlertFilter(kind, feed, indicator, cluster, ns, workload, severity, state, from, to, sort, after, count);
        foreach ((string name, string reason) in AlertQueries.Problems(filter))
        {
            problems[name] = reason;
        }
        return problems.Count > 0
            ? Problems.Problem(400, "invalid-filter", "A filter cannot be used", string.Join("; ", problems.Select(p => $"{p.Key}: {p.Value}")) + ".")
            : Results.Ok(await alerts.ListAsync(filter, cancellationToken));

        DateTimeOffset? Time(string name, string? text)
        {
            if (text is null)
            {
                return null;
            }
            if (DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
            {
                return time;
            }
            problems[name] = $"'{text}' is no time; use RFC 3339 such as 2026-03-01T08:00:00Z";
            return null;
        }
    }

    private static async Task<IResult> GetAsync(AlertQueries alerts, string id, CancellationToken cancellationToken) =>
        await alerts.FindAsync(id, cancellationToken) is { } alert ? Results.Ok(alert) : NoAlert(id);

    private static async Task<IResult> HitsAsync(AlertQueries alerts, string id, string? after, int? limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > 500)
        {
            return Problems.Problem(400, "invalid-filter", "A filter cannot be used", "limit: use 1 to 500.");
        }
        if (after is not null && !AlertQueries.IsHitCursor(after))
        {
            return Problems.Problem(400, "invalid-filter", "A filter cannot be used", "after: use the next value of the page before.");
        }
        return await alerts.HitsAsync(id, after, limit ?? 100, cancellationToken) is { } hits ? Results.Ok(hits) : NoAlert(id);
    }

    private static async Task<IResult> PatchAsync(AlertChanges changes, AlertQueries alerts, string id, AlertChange change, Actor actor, CancellationToken cancellationToken)
    {
        if (AlertChanges.Problem(change) is { } problem)
        {
            return Problems.Problem(400, "invalid-change", "The change cannot be made", problem);
        }
        return (await changes.ApplyAsync([id], change, actor, cancellationToken)).Count == 0 && await alerts.FindAsync(id, cancellationToken) is { } alert ? Results.Ok(alert) : NoAlert(id);
    }

    private static async Task<IResult> PatchManyAsync(AlertChanges changes, BulkChange body, Actor actor, CancellationToken cancellationToken)
    {
        if (body.Ids is not { Count: > 0 and <= MaxIds } ids || body.Change is not { } change)
        {
            return Problems.Problem(400, "invalid-change", "The change cannot be made", $"Send {{\"ids\":[…],\"change\":{{\"state\":…}}}} with 1 to {MaxIds} ids.");
        }
        if (AlertChanges.Problem(change) is { } problem)
        {
            return Problems.Problem(400, "invalid-change", "The change cannot be made", problem);
        }
        IReadOnlyList<string> unknown = await changes.ApplyAsync(ids, change, actor, cancellationToken);
        return unknown.Count > 0
            ? Problems.Problem(404, "alert-not-found", "No such alert", $"Nothing was changed: there is no alert {string.Join(", ", unknown.Take(20))}.")
            : Results.Ok(new BulkChanged(ids.Select(i => i.TrimStart('0')).Distinct().Count()));
    }

    private static IResult NoAlert(string id) => Problems.Problem(404, "alert-not-found", "No such alert", $"There is no alert {id}; it may be older than alerts are kept.");
}
