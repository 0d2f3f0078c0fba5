using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Says what has been searched, what not yet, and what was lost.</summary>
public sealed class SearchStates(IContextFactory contexts, ILogStore logs, RetentionClock clock)
{
    public async Task<SearchState> GetAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // Work moves on while this reads, and "idle" must not claim what arrives in between. So each thing is read before what it turns into:
        // heads before marks, runs before the generation they raise, progress before the look-backs that open with it.
        var heads = new Dictionary<string, Position>();
        foreach (LogSource source in logs.Sources)
        {
            heads[source.Id] = await logs.HeadAsync(source, cancellationToken);
        }
        bool runs = await db.Runs.AnyAsync(r => r.FinishedAt == null, cancellationToken);
        long generation = await db.ReadAsync(Counters.Generation, cancellationToken);
        List<ProgressRow> progress = await db.Progress.AsNoTracking().ToListAsync(cancellationToken);
        List<LookBackRow> open = await db.LookBacks.AsNoTracking().OrderBy(l => l.Generation).ToListAsync(cancellationToken);
        // The store counts; what stands in the database was counted before it did.
        long dropped = await db.ReadAsync(Counters.Dropped, cancellationToken);

        bool idle = !runs && open.Count == 0;
        var sources = new List<SourceState>();
        foreach (LogSource source in logs.Sources)
        {
            ProgressRow? row = progress.Find(p => p.Source == source.Id);
            Position mark = row is null ? Position.BeforeAll : new Position(row.MarkSegment, row.MarkOrdinal);
            RangeCount left = heads[source.Id] > mark ? await logs.CountAsync(source, mark, heads[source.Id], cancellationToken) : default;
            idle &= heads[source.Id] <= mark && row?.Generation == generation;
            dropped += await logs.LostAsync(source, cancellationToken);
            sources.Add(new SourceState(source.Name, source.Kind, left.Records, await logs.LastReceivedAtAsync(source, cancellationToken)));
        }
        return new SearchState(idle, dropped, sources, await LookBacksAsync(db, open, cancellationToken), clock.WaitsUntil);
    }

    private async Task<List<LookBackState>> LookBacksAsync(ThreatFeedsContext db, List<LookBackRow> open, CancellationToken cancellationToken)
    {
        if (open.Count == 0)
        {
            return [];
        }
        long[] generations = [.. open.Select(l => l.Generation).Distinct()];
        Dictionary<long, string> feeds = await db.ListingChanges.Where(c => generations.Contains(c.Generation)).ToDictionaryAsync(c => c.Generation, c => c.Feed, cancellationToken);
        var states = new SortedDictionary<string, (long Done, long Total)>(StringComparer.Ordinal);
        foreach (LookBackRow row in open)
        {
            if (logs.Sources.FirstOrDefault(s => s.Id == row.Source) is not { } source || !feeds.TryGetValue(row.Generation, out string? feed))
            {
                continue;
            }
            var upto = new Position(row.UptoSegment, row.UptoOrdinal);
            long total = (await logs.CountAsync(source, Position.BeforeAll, upto, cancellationToken)).Records;
            long left = (await logs.CountAsync(source, new Position(row.DoneSegment, row.DoneOrdinal), upto, cancellationToken)).Records;
            (long done, long all) = states.GetValueOrDefault(feed);
            states[feed] = (done + total - left, all + total);
        }
        return [.. states.Select(s => new LookBackState(s.Key, s.Value.Done, s.Value.Total))];
    }
}
