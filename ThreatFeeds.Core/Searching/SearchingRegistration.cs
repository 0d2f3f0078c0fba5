using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Searching;

/// <summary>Adds searching. What runs it comes with Jobs.</summary>
public static class SearchingRegistration
{
    public static IServiceCollection AddSearching(this IServiceCollection services, RetentionOptions options) => services
        .AddSingleton(options)
        .AddSingleton<RetentionClock>()
        .AddSingleton<RecordRetention>()
        .AddSingleton<RecordDecoder>()
        .AddSingleton<LookBackTargets>()
        .AddSingleton<ForwardSearch>()
        .AddSingleton<LookBackSearch>()
        .AddSingleton<LookBackLoop>()
        .AddSingleton<SourceBook>()
        .AddSingleton<SearchLoops>()
        .AddSingleton<SnapshotKeeper>()
        .AddSingleton<Standstill>()
        .AddSingleton<SearchStates>()
        .AddSingleton<IndicatorLookUp>()
        .AddSingleton<SearchSignals>()
        .AddSingleton<SearchHealth>()
        .AddHostedService<HitStorms>()
        .AddHostedService<SizeLimit>()
        .AddHostedService<SearchLag>();
}
