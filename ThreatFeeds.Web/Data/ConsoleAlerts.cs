using ThreatFeeds.Actors;
using ThreatFeeds.Alerts;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Web.Data;

/// <summary>What the console shows of alerts and indicators, and does with them.</summary>
public sealed class ConsoleAlerts(AlertQueries queries, AlertChanges changes, IndicatorLookUp lookUp)
{
    private const int HitsOnPage = 20;
    private const int AlertsOfValue = 20;

    /// <summary>A page of alerts.</summary>
    public Task<Page<AlertView>> ListAsync(AlertFilter filter, CancellationToken cancellationToken) => queries.ListAsync(filter, cancellationToken);

    /// <summary>One alert, or null when it is not (or no longer) kept.</summary>
    public Task<AlertView?> FindAsync(string id, CancellationToken cancellationToken) => queries.FindAsync(id, cancellationToken);

    /// <summary>The hits of an alert, newest first, 20 a page.</summary>
    public async Task<Page<HitView>> HitsAsync(string id, string? after, CancellationToken cancellationToken) =>
        await queries.HitsAsync(id, after, HitsOnPage, cancellationToken) ?? new Page<HitView>([], null);

    /// <summary>Changes the state or the note of alerts. Returns how many there were to change.</summary>
    public async Task<int> ChangeAsync(IReadOnlyList<string> ids, AlertChange change, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> gone = await changes.ApplyAsync(ids, change, Actor.Local, cancellationToken);
        if (gone.Count == 0)
        {
            return ids.Count;
        }
        // Alerts that retention took meanwhile must not keep the others from being changed.
        List<string> left = [.. ids.Except(gone)];
        return left.Count > 0 && (await changes.ApplyAsync(left, change, Actor.Local, cancellationToken)).Count == 0 ? left.Count : 0;
    }

    /// <summary>Open alerts by severity.</summary>
    public async Task<AlertCounts> CountsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<Severity, long> open = await queries.OpenBySeverityAsync(cancellationToken);
        return new AlertCounts(open.GetValueOrDefault(Severity.Critical), open.GetValueOrDefault(Severity.High), open.GetValueOrDefault(Severity.Medium), open.GetValueOrDefault(Severity.Low));
    }

    /// <summary>Is a name or an address listed, by what, and what did it hit. Look-ups see the generation now searched with.</summary>
    public async Task<LookUpResult> LookUpAsync(string value, CancellationToken cancellationToken)
    {
        if (await lookUp.FindAsync(value, cancellationToken) is not { } answer)
        {
            return new LookUpResult(value, $"“{value}” is neither a domain name of at least two labels nor an IPv4 or IPv6 address.", [], [], []);
        }
        string indicators = string.Join(',', answer.Feeds.Select(f => f.Indicator).Concat(answer.LastHits.Select(h => h.Indicator)).Append(answer.Value).Distinct());
        IReadOnlyList<AlertView> alerts = (await queries.ListAsync(new AlertFilter(Indicator: indicators, Limit: AlertsOfValue), cancellationToken)).Items;
        return new LookUpResult(answer.Value, null, [.. answer.Feeds.Select(f => new Listing(f.Feed, f.Indicator, f.Since))], alerts, [.. answer.Damaged.Select(d => d.Problem)]);
    }
}
