using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Alerts;
using ThreatFeeds.Feeds;

namespace ThreatFeeds.Searching;

/// <summary>
/// Notices an indicator that hits more than one record in a hundred: most likely a list names something everyone uses. The feeds that
/// list it get the condition HitStorm; the hits are kept all the same.
/// </summary>
public sealed class HitStorms(ForwardSearch forward, FeedCatalog catalog, FeedStatusWriter status, TimeProvider time, ILogger<HitStorms> logger) : BackgroundService
{
    /// <summary>Records looked at together: below this a share says little.</summary>
    internal const long Enough = 10_000;

    /// <summary>The share of records above which it is a storm.</summary>
    internal const double Share = 0.01;

    private static readonly TimeSpan Doze = TimeSpan.FromMinutes(1);

    private readonly StormTally _tally = new();
    private readonly Wake _full = new(time);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        forward.Compared += OnCompared;
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        forward.Compared -= OnCompared;
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                if (_tally.Take(Enough) is { } window)
                {
                    await JudgeAsync(window.Records, window.Hits, stoppingToken);
                }
                await _full.WaitAsync(Doze, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>What a window of records says: the worst storm of each feed that has one.</summary>
    internal static Dictionary<string, string> Judge(long records, IReadOnlyDictionary<string, (long Count, IReadOnlyList<string> Feeds)> hits)
    {
        var storms = new Dictionary<string, string>();
        foreach ((string indicator, (long count, IReadOnlyList<string> feeds)) in hits.OrderByDescending(h => h.Value.Count).Where(h => h.Value.Count > records * Share))
        {
            foreach (string feed in feeds)
            {
                storms.TryAdd(feed, string.Create(CultureInfo.InvariantCulture,
                    $"{indicator} hit {(double)count / records:P1} of the last {records:N0} records. The list probably names something everyone uses; its hits are kept, but look at it before you trust this feed."));
            }
        }
        return storms;
    }

    private async Task JudgeAsync(long records, IReadOnlyDictionary<string, (long, IReadOnlyList<string>)> hits, CancellationToken cancellationToken)
    {
        try
        {
            Dictionary<string, string> storms = Judge(records, hits);
            foreach (StoredFeed feed in await catalog.ListAsync(cancellationToken))
            {
                if (storms.TryGetValue(feed.Feed.Name, out string? message))
                {
                    await status.SetConditionAsync(feed.Feed.Name, feed.Feed.Uid, ConditionType.HitStorm, message, cancellationToken);
                }
                else if (feed.Status.ErrorConditions.Any(c => c.Type == ConditionType.HitStorm))
                {
                    await status.ClearAsync(feed.Feed.Name, feed.Feed.Uid, cancellationToken, ConditionType.HitStorm);
                }
            }
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            SearchingLog.ConditionNotWritten(logger, problem);
        }
    }

    /// <summary>A record that an indicator hits counts once, however many of its values it covers.</summary>
    /// <param name="hits">Of one source.</param>
    internal static IEnumerable<(string Indicator, IReadOnlyList<string> Feeds)> Records(IReadOnlyList<FoundHit> hits) =>
        hits.DistinctBy(h => (h.Position, h.Indicator)).Select(h => (h.Indicator, h.Feeds));

    private void OnCompared(long records, IReadOnlyList<FoundHit> hits)
    {
        if (_tally.Add(records, Records(hits)) >= Enough)
        {
            _full.Up();
        }
    }
}
