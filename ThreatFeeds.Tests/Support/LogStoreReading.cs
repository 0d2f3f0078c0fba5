using ThreatFeeds.Logs;

namespace ThreatFeeds.Tests.Support;

/// <summary>Shorthands of the port.</summary>
internal static class LogStoreReading
{
    /// <summary>The record at a position as received, or null when it is no longer kept.</summary>
    public static async Task<RawRecord?> FindAsync(this ILogStore store, string sourceId, Position position, CancellationToken cancellationToken)
    {
        var place = new RecordPlace(sourceId, position);
        return (await store.FindAsync([place], long.MaxValue, cancellationToken)).Records.TryGetValue(place, out RawRecord record) ? record : null;
    }
}
