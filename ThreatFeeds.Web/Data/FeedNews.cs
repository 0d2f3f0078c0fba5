using Microsoft.Extensions.Hosting;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Runs;

namespace ThreatFeeds.Web.Data;

/// <summary>Passes on to open pages what happens to feeds.</summary>
internal sealed class FeedNews(FeedChanges feeds, ListingChanges listings, RunQueue runs, ConsoleChanges changes) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        feeds.FeedChanged += OnFeed;
        listings.ListingChanged += OnListing;
        runs.RunChanged += OnListing;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        feeds.FeedChanged -= OnFeed;
        listings.ListingChanged -= OnListing;
        runs.RunChanged -= OnListing;
        return Task.CompletedTask;
    }

    private void OnFeed(string name) => changes.Raise(ConsoleChange.Feeds);

    private void OnListing() => changes.Raise(ConsoleChange.Feeds | ConsoleChange.Searches);
}
