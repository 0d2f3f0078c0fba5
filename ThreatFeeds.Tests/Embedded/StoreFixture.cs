using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Shorthands for tests of the embedded store.</summary>
internal static class StoreFixture
{
    public static readonly Dictionary<string, Position> NoFloors = [];

    public static async Task<EmbeddedLogStore> OpenAsync(IDurableFiles files, TimeProvider time, string folder = "/data", long segmentBytes = 256L << 20, Dictionary<string, Position>? floors = null, Func<EmbeddedOptions, EmbeddedOptions>? options = null)
    {
        var store = new EmbeddedLogStore((options ?? (o => o))(new EmbeddedOptions(folder) { SegmentBytes = segmentBytes }), files, new LogReaders([new CalicoReader()]), time, NullLogger<EmbeddedLogStore>.Instance);
        await store.OpenAsync(floors ?? NoFloors, CancellationToken.None);
        return store;
    }

    public static Task<bool> AddAsync(this EmbeddedLogStore store, params string[] lines) => store.AddWithKeyAsync(null, lines);

    /// <returns>Whether it was stored now.</returns>
    public static async Task<bool> AddWithKeyAsync(this EmbeddedLogStore store, string? key, params string[] lines) => AppendResult.Stored == await store.AppendAsync(
        new LogBatch(LogKind.Dns, "calico", [.. lines.Select(l => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(l))], key), CancellationToken.None);

    public static LogSource Dns(this EmbeddedLogStore store) => store.Sources.First(s => s.Kind == LogKind.Dns);

    public static Task<Position> HeadAsync(this EmbeddedLogStore store) => store.HeadAsync(store.Dns(), CancellationToken.None);

    public static async Task<List<(Position Position, string Line)>> ReadAsync(this EmbeddedLogStore store)
    {
        var all = new List<(Position, string)>();
        await store.ReadAsync(store.Dns(), Position.BeforeAll, await store.HeadAsync(), r =>
        {
            all.Add((r.Position, Encoding.UTF8.GetString(r.Line.Span)));
            return true;
        }, CancellationToken.None);
        return all;
    }

    public static async Task<List<string>> LinesAsync(this EmbeddedLogStore store) => [.. (await store.ReadAsync()).Select(r => r.Line)];

    public static async Task<RangeCount> CountAsync(this EmbeddedLogStore store) =>
        await store.CountAsync(store.Dns(), Position.BeforeAll, await store.HeadAsync(), CancellationToken.None);

    public static Task<long> RetainAsync(this EmbeddedLogStore store, DateTimeOffset before, Position mark, long? most = null) =>
        store.RetainAsync(new RetentionLimits(before, most, new Dictionary<string, Position> { [store.Dns().Id] = mark }), CancellationToken.None);
}
