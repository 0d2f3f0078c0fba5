using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Searching;

/// <summary>Adds searching and its loops.</summary>
public static class SearchingRegistration
{
    public static IServiceCollection AddSearching(this IServiceCollection services, RetentionOptions options) => services
        .AddSingleton(options)
        .AddSingleton<RetentionClock>()
        .AddSingleton<RecordRetention>()
        .AddSingleton<Retention>()
        .AddSingleton<Snapshots>()
        .AddSingleton<SearchedSets>()
        .AddSingleton<ForwardSearch>()
        .AddSingleton<LookBackSearch>()
        .AddSingleton<SearchSteps>()
        .AddSingleton<SearchStates>()
        .AddSingleton<IndicatorLookUp>()
        .AddSingleton<FeedStatistics>()
        .AddSingleton<SearchSignals>()
        .AddSingleton<SearchHealth>()
        .AddHostedService<HitStorms>()
        .AddHostedService<SizeLimit>()
        .AddHostedService<SearchLoops>();
}
