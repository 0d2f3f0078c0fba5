using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Sets;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Api.Console;

/// <summary>Tells open pages that something they may show has changed.</summary>
internal sealed class ConsoleChanges(FeedEvents feeds, SearchSteps searches, AlertChanges alerts, ILogStore logs) : IHostedService
{
    public event Action<ConsoleChange>? Changed;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        feeds.Changes.FeedChanged += OnFeed;
        feeds.Listings.ListingChanged += OnListing;
        feeds.Runs.RunChanged += OnListing;
        searches.Forward.HitsWritten += OnHits;
        searches.LookBack.Moved += OnHits;
        alerts.Changed += OnAlerts;
        logs.Appended += OnAppended;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        feeds.Changes.FeedChanged -= OnFeed;
        feeds.Listings.ListingChanged -= OnListing;
        feeds.Runs.RunChanged -= OnListing;
        searches.Forward.HitsWritten -= OnHits;
        searches.LookBack.Moved -= OnHits;
        alerts.Changed -= OnAlerts;
        logs.Appended -= OnAppended;
        return Task.CompletedTask;
    }

    private void OnFeed(string name) => Changed?.Invoke(ConsoleChange.Feeds);
    private void OnListing() => Changed?.Invoke(ConsoleChange.Feeds | ConsoleChange.Searches);
    private void OnHits() => Changed?.Invoke(ConsoleChange.Alerts | ConsoleChange.Feeds | ConsoleChange.Searches);
    private void OnAlerts() => Changed?.Invoke(ConsoleChange.Alerts);
    private void OnAppended(LogSource source) => Changed?.Invoke(ConsoleChange.Searches);
}

/// <summary>Where feeds say that they changed.</summary>
internal sealed record FeedEvents(FeedChanges Changes, Listings Listings, RunHistory Runs);

/// <summary>Adds the console's view of the rooms.</summary>
internal static class ConsoleRegistration
{
    public static IServiceCollection AddConsoleData(this IServiceCollection services) => services
        .AddSingleton<FeedEvents>()
        .AddSingleton<FeedWork>()
        .AddSingleton<ConsoleFeeds>()
        .AddSingleton<ConsoleAlerts>()
        .AddSingleton<ConsoleChanges>()
        .AddHostedService(p => p.GetRequiredService<ConsoleChanges>())
        .AddSingleton<IConsoleData, ConsoleData>();
}
