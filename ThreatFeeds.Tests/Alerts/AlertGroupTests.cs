using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Searching;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class AlertGroupTests
{
    [Fact]
    public async Task Sqlite_finds_alerts_by_the_index_over_their_whole_key()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        await using ThreatFeedsContext db = database.Factory.Create();
        await db.Database.OpenConnectionAsync();
        await using DbCommand command = AlertGroups.Of(db, "cluster", [new AlertKey(LogKind.Dns, "bad.example", "shop", "web-1", Direction.Outbound, FlowAction.None)], 0, 1).CreateDbCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + command.CommandText;
        await using DbDataReader plan = await command.ExecuteReaderAsync();
        var steps = new List<string>();
        while (await plan.ReadAsync())
        {
            steps.Add(plan.GetString(3));
        }
        Assert.Contains(steps, s => s.Contains("(Cluster=? AND Kind=? AND Indicator=? AND Namespace=? AND Workload=? AND Direction=? AND Action=?)", StringComparison.Ordinal));
    }

    [Theory]
    [OnSqlite]
    [OnPostgres]
    public async Task Only_alerts_of_the_hits_own_keys_and_time_are_loaded(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        long now = world.Clock.GetUtcNow().ToUnixTimeMilliseconds(), old = world.Clock.GetUtcNow().AddDays(-30).ToUnixTimeMilliseconds();
        await using ThreatFeedsContext db = world.Contexts.Create();
        for (int i = 0; i < 50; i++)
        {
            db.Alerts.AddRange(Alert("shop", $"web-{i}", now, FlowAction.Deny), Alert("other", $"web-{i}", now, FlowAction.Deny));
        }
        db.Alerts.AddRange(Alert("shop", "web-1", old, FlowAction.Deny), Alert("shop", "web-1", now, FlowAction.Allow), Alert("shop", "web-1", now, FlowAction.None));
        await db.SaveChangesAsync();
        db.ChangeTracker.Clear();

        FoundHit[] hits = [Hit("web-1", FlowAction.Deny), Hit("web-1", FlowAction.Deny), Hit("web-7", FlowAction.Deny), Hit("new", FlowAction.Deny)];
        Assert.Equal(["web-1", "web-7"], await AlertGroups.Of(db, "cluster", [.. hits.Select(h => h.Key()).Distinct()], now - 1, now + 1).Select(a => a.Workload).Order().ToListAsync());
        var groups = await AlertGroups.LoadAsync(db, world.Alerts, hits, default);
        // What was loaded is what hits join.
        Assert.Equal(2, groups.Join(Hit("web-1", FlowAction.Deny), DateTime.UnixEpoch).Count);
        Assert.Empty(groups.News);

        AlertRow Alert(string space, string workload, long at, FlowAction action) => new()
        {
            Cluster = "cluster", Kind = LogKind.Flow, Indicator = "192.0.2.1/32", Namespace = space, Workload = workload, Direction = Direction.Outbound, Action = action,
            Start = at, FirstSeen = at, LastSeen = at, Count = 1, Severity = Severity.Critical, OpenedAt = world.Clock.GetUtcNow().UtcDateTime,
        };

        FoundHit Hit(string workload, FlowAction action) => new(
            new LogSource("s", "s", LogKind.Flow), new Position(1, 1), world.Clock.GetUtcNow(), HitField.DestinationIp, "192.0.2.1", "192.0.2.1/32", ["one"],
            new RecordDetails(null, new Endpoint("shop", workload, false, new Dictionary<string, string>(), "10.0.0.7", null, "wep"), Endpoint.Unknown, action, false, null), "{}"u8.ToArray());
    }
}
