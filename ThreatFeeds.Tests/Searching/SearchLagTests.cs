using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Searching;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

/// <summary>How far searching is behind, as a gauge.</summary>
public sealed class SearchLagTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task The_lag_is_the_records_not_compared_and_the_wait_of_the_oldest_of_them(StorageProvider provider)
    {
        await using SearchWorld world = await SearchWorld.CreateAsync(provider);
        await world.FeedAsync("names", "DomainNameSet");
        await world.SetAsync("names", "bad.example");
        using var lag = new SearchLag(world.Contexts, world.Logs, world.Clock, NullLogger<SearchLag>.Instance);
        await world.DnsAsync("a.example", "b.example");
        world.Clock.Advance(TimeSpan.FromSeconds(7));
        await world.DnsAsync("c.example");
        world.Clock.Advance(TimeSpan.FromSeconds(2));

        await lag.LookAsync(default);
        Assert.Equal((3L, 9d), Read(lag, LogKind.Dns));
        Assert.Equal((0L, 0d), Read(lag, LogKind.Flow));

        await world.SettleAsync();
        await lag.LookAsync(default);
        Assert.Equal((0L, 0d), Read(lag, LogKind.Dns));
    }

    [Fact]
    public async Task While_the_database_is_away_the_lag_goes_on_growing_from_the_mark_known_last()
    {
        bool away = false;
        await using SearchWorld world = await SearchWorld.CreateAsync(StorageProvider.Sqlite, wrap: database => new AwayContexts(database.Factory, () => away));
        using var lag = new SearchLag(world.Contexts, world.Logs, world.Clock, NullLogger<SearchLag>.Instance);
        await world.FeedAsync("names", "DomainNameSet");
        await world.DnsAsync("a.example");
        await world.SettleAsync();
        await lag.LookAsync(default);
        Assert.Equal((0L, 0d), Read(lag, LogKind.Dns));

        away = true;
        await world.DnsAsync("b.example", "c.example");
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        await lag.LookAsync(default);
        Assert.Equal((2L, 60d), Read(lag, LogKind.Dns));
    }

    private static (long Records, double Seconds) Read(SearchLag lag, LogKind kind)
    {
        (long records, double seconds) = (-1, -1);
        string source = "embedded/" + Word.Of(kind);
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument.Meter == lag.Meter) { l.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => records = Is(tags) ? value : records);
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => seconds = Is(tags) ? value : seconds);
        listener.Start();
        listener.RecordObservableInstruments();
        return (records, seconds);

        bool Is(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags[0] is { Key: "source", Value: string name } && name == source;
    }

    private sealed class AwayContexts(IContextFactory contexts, Func<bool> away) : IContextFactory
    {
        public ThreatFeedsContext Create() => away() ? throw new InvalidOperationException("The database is away.") : contexts.Create();

        public Task MigrateAsync(CancellationToken cancellationToken) => contexts.MigrateAsync(cancellationToken);
    }
}
