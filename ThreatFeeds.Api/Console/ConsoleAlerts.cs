using ThreatFeeds.Alerts;
using ThreatFeeds.Searching;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Api.Console;

/// <summary>What the console does with alerts and indicators.</summary>
internal sealed class ConsoleAlerts(AlertQueries queries, AlertChanges changes, IndicatorLookUp lookUp)
{
    private const int AlertsOfValue = 20;

    public AlertQueries Queries => queries;

    public async Task<int> ChangeAsync(IReadOnlyList<string> ids, AlertChange change, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> gone = await changes.ApplyAsync(ids, change, cancellationToken);
        if (gone.Count == 0)
        {
            return ids.Count;
        }
        // Alerts that retention took meanwhile must not keep the others from being changed.
        List<string> left = [.. ids.Except(gone)];
        return left.Count > 0 && (await changes.ApplyAsync(left, change, cancellationToken)).Count == 0 ? left.Count : 0;
    }

    public async Task<AlertCounts> CountsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, long> open = await queries.OpenBySeverityAsync(cancellationToken);
        return new AlertCounts(open.GetValueOrDefault("critical"), open.GetValueOrDefault("high"), open.GetValueOrDefault("medium"), open.GetValueOrDefault("low"));
    }

    public async Task<LookUpResult> LookUpAsync(string value, CancellationToken cancellationToken)
    {
        if (await lookUp.FindAsync(value, cancellationToken) is not { } answer)
        {
            return new LookUpResult(value, $"“{value}” is neither a domain name of at least two labels nor an IPv4 or IPv6 address.", [], []);
        }
        string indicators = string.Join(',', answer.Feeds.Select(f => f.Indicator).Concat(answer.LastHits.Select(h => h.Indicator)).Append(answer.Value).Distinct());
        IReadOnlyList<AlertView> alerts = (await queries.ListAsync(new AlertFilter(Indicator: indicators, Limit: AlertsOfValue), cancellationToken)).Items;
        return new LookUpResult(answer.Value, null, [.. answer.Feeds.Select(f => new Listing(f.Feed, f.Indicator, f.Since))], alerts);
    }
}
