using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Listings;

/// <summary>Adds what is listed: sets now effective, generations, snapshots.</summary>
public static class ListingsRegistration
{
    public static IServiceCollection AddListings(this IServiceCollection services) => services
        .AddSingleton<ListingChanges>()
        .AddSingleton<ListedSets>()
        .AddSingleton<Snapshots>()
        .AddSingleton<AddedEntries>()
        .AddSingleton<ListingSweep>();
}
