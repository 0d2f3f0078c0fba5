using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Health;

/// <param name="Reason">Null when all is well.</param>
internal sealed record ReadinessCheck(string Name, bool Ok, string? Reason);

/// <summary>The answer of <c>/readyz</c>.</summary>
/// <param name="Status">ready; degraded (all can be asked and nothing is lost, but a search does not move); unready.</param>
internal sealed record Readiness(bool Ready, string Status, IReadOnlyList<ReadinessCheck> Checks);

/// <summary>For whatever watches the process: is it alive, can it work, and what does it count.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapHealth(this WebApplication app)
    {
        RequestDelegate metrics = ((IApplicationBuilder)app).New().UseOpenTelemetryPrometheusScrapingEndpoint(_ => true).Build();
        app.MapGet("/livez", () => TypedResults.Text("ok\n")).WithName("Live").WithTags("Health").WithSummary("Whether the process runs.");
        app.MapGet("/readyz", ReadyAsync).WithName("Ready").WithTags("Health").WithSummary("Whether the database and the log store answer; 503 with reasons when not. A search that does not move is degraded, with 200.")
            .Produces<Readiness>().Produces<Readiness>(StatusCodes.Status503ServiceUnavailable);
        // By a handler, since only those are described.
        app.MapGet("/metrics", (Delegate)((HttpContext context) => metrics(context)))
            .WithName("Metrics").WithTags("Health").WithSummary("Counters in Prometheus' text format.");
    }

    private static async Task<IResult> ReadyAsync(IContextFactory contexts, IServiceProvider services, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var checks = new List<ReadinessCheck> { await CheckAsync("database", () => AskDatabaseAsync(contexts, either.Token)) };
        if (services.GetService<ILogStore>() is ILogStore store)
        {
            checks.Add(await CheckAsync("log store", () => AskLogStoreAsync(store, either.Token)));
        }
        bool ready = checks.TrueForAll(c => c.Ok);
        bool moving = services.GetService<Standstill>() is not { Stalled: true };
        if (!moving)
        {
            checks.Add(new ReadinessCheck("searching", false, $"A search has work and has not moved for {Standstill.After.TotalMinutes:0} minutes; GET /v1/searches and the feeds' conditions say more."));
        }
        var answer = new Readiness(ready, !ready ? "unready" : moving ? "ready" : "degraded", checks);
        return TypedResults.Json(answer, statusCode: answer.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<ReadinessCheck> CheckAsync(string name, Func<Task> ask)
    {
        try
        {
            await ask();
            return new ReadinessCheck(name, true, null);
        }
        catch (OperationCanceledException)
        {
            return new ReadinessCheck(name, false, $"It did not answer within {Patience.TotalSeconds:0} s.");
        }
        catch (Exception)
        {
            return new ReadinessCheck(name, false, "It cannot be reached; the log has more.");
        }
    }

    private static async Task AskDatabaseAsync(IContextFactory contexts, CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        await db.Counters.FindAsync(["generation"], cancellationToken);
    }

    private static async Task AskLogStoreAsync(ILogStore store, CancellationToken cancellationToken)
    {
        foreach (LogSource source in store.Sources)
        {
            await store.HeadAsync(source, cancellationToken);
        }
    }
}
