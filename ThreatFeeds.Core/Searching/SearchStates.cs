using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Says what has been searched, what not yet, what was lost, and whether it goes on.</summary>
public sealed class SearchStates(IContextFactory contexts, ILogStore logs, Standstill standstill, RetentionClock clock)
{
    /// <summary>Sources shown that are gone.</summary>
    private const int MostGone = 100;

    public async Task<SearchState> GetAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // Work moves on while this reads, and "idle" must not claim what arrives in between. So each thing is read before what it turns into:
        // heads before marks, runs before the generation they raise, progress before the look-backs that open with it.
        IReadOnlyList<LogSource> present = logs.Sources;
        var heads = new Dictionary<string, Position>();
        foreach (LogSource source in present)
        {
            heads[source.Id] = await logs.HeadAsync(source, cancellationToken);
        }
        bool runs = await db.Runs.AnyAsync(r => r.FinishedAt == null, cancellationToken);
        long generation = await db.ReadAsync(Counters.Generation, cancellationToken);
        List<ProgressRow> progress = await db.Progress.AsNoTracking().ToListAsync(cancellationToken);
        // Nobody can do the look-backs of a source that is not there now; they are closed when it stays away.
        List<LookBackRow> open = await db.LookBacks.AsNoTracking().OrderBy(l => l.Generation).ToListAsync(cancellationToken);
        open.RemoveAll(l => !heads.ContainsKey(l.Source));
        // The store counts; what stands in the database was counted before it did.
        long dropped = await db.ReadAsync(Counters.Dropped, cancellationToken);

        bool idle = !runs && open.Count == 0;
        var sources = new List<SourceState>();
        var standing = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (LogSource source in present)
        {
            ProgressRow? row = progress.Find(p => p.Source == source.Id);
            Position mark = row is null ? Position.BeforeAll : new Position(row.MarkSegment, row.MarkOrdinal);
            RangeCount left = heads[source.Id] > mark ? await logs.CountAsync(source, mark, heads[source.Id], cancellationToken) : default;
            if (heads[source.Id] > mark || row?.Generation != generation)
            {
                idle = false;
                standing["forward " + source.Id] = $"{mark} {row?.Generation}";
            }
            dropped += await logs.LostAsync(source, cancellationToken);
            sources.Add(new SourceState(source.Name, source.Kind, left.Records, await logs.LastReceivedAtAsync(source, cancellationToken)));
        }
        foreach (IGrouping<string, LookBackRow> lookBacks in open.GroupBy(l => l.Source))
        {
            standing["look-back " + lookBacks.Key] = string.Join(' ', lookBacks.Select(l => $"{l.Generation} {l.DoneSegment} {l.DoneOrdinal}"));
        }
        standstill.Observe(standing);
        List<GoneSource> gone = await db.GoneSources.AsNoTracking().OrderByDescending(g => g.GoneAt).Take(MostGone)
            .Select(g => new GoneSource(g.Source, g.Kind, new DateTimeOffset(DateTime.SpecifyKind(g.GoneAt, DateTimeKind.Utc)))).ToListAsync(cancellationToken);
        List<string> damaged = await db.DamagedListings().Select(l => l.Feed).ToListAsync(cancellationToken);
        return new SearchState(
            idle && damaged.Count == 0, dropped, sources, await LookBacksAsync(db, present, open, cancellationToken), await db.ReadAsync(Counters.SetAside, cancellationToken), standstill.Stalled, gone, damaged, clock.WaitsUntil) { AtRest = idle };
    }

    private async Task<List<LookBackState>> LookBacksAsync(ThreatFeedsContext db, IReadOnlyList<LogSource> present, List<LookBackRow> open, CancellationToken cancellationToken)
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
            if (!feeds.TryGetValue(row.Generation, out string? feed))
            {
                continue;
            }
            LogSource source = present.First(s => s.Id == row.Source);
            var upto = new Position(row.UptoSegment, row.UptoOrdinal);
            long total = (await logs.CountAsync(source, Position.BeforeAll, upto, cancellationToken)).Records;
            long left = (await logs.CountAsync(source, new Position(row.DoneSegment, row.DoneOrdinal), upto, cancellationToken)).Records;
            (long done, long all) = states.GetValueOrDefault(feed);
            states[feed] = (done + total - left, all + total);
        }
        return [.. states.Select(s => new LookBackState(s.Key, s.Value.Done, s.Value.Total))];
    }
}
