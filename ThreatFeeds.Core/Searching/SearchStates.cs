using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Searching;

/// <summary>Says what has been searched, what not yet, what was lost, and whether it goes on.</summary>
public sealed class SearchStates(IContextFactory contexts, ILogStore logs, Standstill standstill, RetentionClock clock, FeedCatalog catalog)
{
    /// <summary>Sources shown that are gone.</summary>
    private const int MostGone = 100;

    /// <summary>Records shown that were set aside.</summary>
    private const int MostSetAside = 20;

    public async Task<SearchState> GetAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        // Work moves on while this reads, and "idle" must not claim what arrives in between. So each thing is read before what it turns into:
        // heads before marks, waiting documents and runs before the generation they raise, progress before the look-backs that open with it.
        IReadOnlyList<LogSource> present = logs.Sources;
        var heads = new Dictionary<string, Position>();
        foreach (LogSource source in present)
        {
            heads[source.Id] = await logs.HeadAsync(source, cancellationToken);
        }
        // What is damaged is mended with a new generation, and found damaged at any time.
        List<string> damaged = await DamagedAsync(db, cancellationToken);
        bool pushes = await PushesWaitAsync(db, cancellationToken);
        bool runs = await db.Runs.AnyAsync(r => r.FinishedAt == null, cancellationToken);
        long generation = await db.ReadAsync(Counters.Generation, cancellationToken);
        List<ProgressRow> progress = await db.Progress.AsNoTracking().ToListAsync(cancellationToken);
        // Nobody can do the look-backs of a source that is not there now; they are closed when it stays away.
        List<LookBackRow> open = await db.LookBacks.AsNoTracking().OrderBy(l => l.Generation).ToListAsync(cancellationToken);
        open.RemoveAll(l => !heads.ContainsKey(l.Source));
        // The store counts; what stands in the database was counted before it did.
        long dropped = await db.ReadAsync(Counters.Dropped, cancellationToken);

        bool idle = !pushes && !runs && open.Count == 0;
        var sources = new List<SourceState>();
        var places = new Dictionary<string, SourcePlace>(StringComparer.Ordinal);
        var standing = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (LogSource source in present)
        {
            ProgressRow? row = progress.Find(p => p.Source == source.Id);
            Position mark = row is null ? Position.BeforeAll : new Position(row.MarkSegment, row.MarkOrdinal);
            places[source.Id] = new SourcePlace(heads[source.Id], mark, row?.Generation ?? 0);
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
            // The next step is the furthest's; those behind it come and go with what is listed.
            LookBackRow next = lookBacks.OrderByDescending(l => l.DoneSegment).ThenByDescending(l => l.DoneOrdinal).ThenBy(l => l.Generation).First();
            standing["look-back " + lookBacks.Key] = $"{next.Generation} {next.DoneSegment} {next.DoneOrdinal}";
        }
        standstill.Observe(standing);
        List<GoneSource> gone = await db.GoneSources.AsNoTracking().OrderByDescending(g => g.GoneAt).Take(MostGone)
            .Select(g => new GoneSource(g.Source, g.Kind, new DateTimeOffset(DateTime.SpecifyKind(g.GoneAt, DateTimeKind.Utc)))).ToListAsync(cancellationToken);
        damaged = [.. damaged.Union(await DamagedAsync(db, cancellationToken))];
        return new SearchState(
            idle && damaged.Count == 0, dropped, sources, await LookBacksAsync(db, present, open, cancellationToken), await db.ReadAsync(Counters.SetAside, cancellationToken), standstill.Stalled, gone, damaged, clock.WaitsUntil)
        {
            Places = places,
            Generation = generation,
            SetAsideNewest = await SetAsideAsync(db, present, cancellationToken),
        };
    }

    /// <summary>The searches that somebody has to do, here or in another process.</summary>
    internal async Task<IReadOnlySet<FailureMark>> UndoneAsync(CancellationToken cancellationToken)
    {
        await using ThreatFeedsContext db = contexts.Create();
        List<string> sources = await db.ProgressHere.Select(p => p.Source).ToListAsync(cancellationToken);
        List<string> lookBacks = await db.LookBacks.Select(l => l.Source).Distinct().ToListAsync(cancellationToken);
        return new HashSet<FailureMark>(
            [FailureMark.Snapshot, .. sources.Select(s => new FailureMark(SearchHealth.Forward, s)), .. lookBacks.Select(s => new FailureMark(SearchHealth.LookBack, s))]);
    }

    private static Task<List<string>> DamagedAsync(ThreatFeedsContext db, CancellationToken cancellationToken) => db.DamagedListings().Select(l => l.Feed).ToListAsync(cancellationToken);

    private static async Task<List<SetAsideRecord>> SetAsideAsync(ThreatFeedsContext db, IReadOnlyList<LogSource> present, CancellationToken cancellationToken)
    {
        List<SetAsideRow> rows = await db.SetAside.AsNoTracking().OrderByDescending(s => s.At).Take(MostSetAside).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => new SetAsideRecord(
            present.FirstOrDefault(s => s.Id == r.Source)?.Name ?? r.Source, $"{r.Segment}/{r.Ordinal}", r.Reason, new DateTimeOffset(DateTime.SpecifyKind(r.At, DateTimeKind.Utc))));
    }

    /// <summary>Whether a document waits that its feed can take.</summary>
    private async Task<bool> PushesWaitAsync(ThreatFeedsContext db, CancellationToken cancellationToken)
    {
        foreach (string feed in await db.WaitingPushes.Where(w => db.Listings.Any(l => l.Feed == w.Feed)).Select(w => w.Feed).Distinct().ToListAsync(cancellationToken))
        {
            if ((await catalog.FindAsync(feed, cancellationToken))?.Feed is { Spec.Pull: null })
            {
                return true;
            }
        }
        return false;
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
