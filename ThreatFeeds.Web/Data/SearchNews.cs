using Microsoft.Extensions.Hosting;
using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;

namespace ThreatFeeds.Web.Data;

/// <summary>Passes on to open pages what arrives, what is found, and what becomes of alerts.</summary>
internal sealed class SearchNews(ForwardSearch forward, LookBackSearch lookBack, AlertChanges alerts, ILogStore logs, ConsoleChanges changes) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        forward.HitsWritten += OnHits;
        lookBack.Moved += OnHits;
        alerts.Changed += OnAlerts;
        logs.Appended += OnAppended;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        forward.HitsWritten -= OnHits;
        lookBack.Moved -= OnHits;
        alerts.Changed -= OnAlerts;
        logs.Appended -= OnAppended;
        return Task.CompletedTask;
    }

    private void OnHits() => changes.Raise(ConsoleChange.Alerts | ConsoleChange.Feeds | ConsoleChange.Searches);

    private void OnAlerts() => changes.Raise(ConsoleChange.Alerts);

    private void OnAppended(LogSource source) => changes.Raise(ConsoleChange.Searches);
}
