using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Searching;

/// <summary>Says on the feeds how searching goes: lastSuccessfulSearch, and the conditions SearchFailed and StoreFailed.</summary>
public sealed class SearchHealth(FeedCatalog catalog, FeedStatusWriter status, SearchStates states, ILogger<SearchHealth> logger, TimeProvider time) : IDisposable
{
    /// <summary>lastSuccessfulSearch is written at most this often.</summary>
    private static readonly TimeSpan StampEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SayEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    internal const string Forward = "forward";
    internal const string LookBack = "look-back";

    /// <summary>Searches that failed last, with what the feeds are to say of it, and when they were last told; null until they were.</summary>
    private readonly Dictionary<FailureMark, (ConditionType Type, string Message, DateTimeOffset? SaidAt)> _failing = [];

    /// <summary>Searches that went well since they failed last, or since this process began.</summary>
    private readonly HashSet<FailureMark> _well = [];

    /// <summary>Something went well that was not known to, and what stands has not been looked at since: also when the database failed while it was.</summary>
    private bool _news = true;

    /// <summary>Feeds that say that their set is damaged.</summary>
    private IReadOnlyList<DamagedFeed> _damaged = [];

    private readonly SemaphoreSlim _one = new(1);

    private readonly Wake _idle = new(time);

    public void Dispose() => _one.Dispose();

    internal void Idle() => _idle.Up();

    internal void SourcesUnknown(Exception problem) => SearchingLog.SourcesUnknown(logger, problem);

    internal Task SucceededAsync(string search, LogSource source, CancellationToken cancellationToken) => SucceededAsync(new FailureMark(search, source.Id), cancellationToken);

    /// <summary>The newest indicators could be loaded, and what of them is damaged is known.</summary>
    internal Task SnapshotBuiltAsync(CancellationToken cancellationToken) => SucceededAsync(FailureMark.Snapshot, cancellationToken);

    private async Task SucceededAsync(FailureMark what, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            _news |= _well.Add(what) | _failing.Remove(what);
            await TakeBackAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The source is gone: what failed on it fails no more.</summary>
    internal async Task ForgetAsync(string source, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            foreach (FailureMark what in (FailureMark[])[new(Forward, source), new(LookBack, source)])
            {
                _failing.Remove(what);
                _well.Add(what);
            }
            // Also what another process said of it.
            _news = true;
            await TakeBackAsync(cancellationToken);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            // The next success takes it back.
            SearchingLog.ConditionNotWritten(logger, problem);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Says it on the feeds whose sets are damaged now, and no longer on those whose were.</summary>
    internal async Task DamagedAsync(IReadOnlyList<DamagedFeed> damaged, CancellationToken cancellationToken)
    {
        if (damaged.SequenceEqual(_damaged))
        {
            return;
        }
        foreach (DamagedFeed feed in damaged.Except(_damaged))
        {
            SearchingLog.SetDamaged(logger, feed.Problem);
        }
        await _one.WaitAsync(cancellationToken);
        try
        {
            _damaged = damaged;
            _news = true;
            await TakeBackAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Takes back the conditions of searches that went well since, or that nobody has to do any more, and says again those that stand.</summary>
    private async Task TakeBackAsync(CancellationToken cancellationToken)
    {
        if (!_news)
        {
            return;
        }
        IReadOnlySet<FailureMark> undone = await states.UndoneAsync(cancellationToken);
        foreach (StoredFeed feed in await catalog.ListAsync(cancellationToken))
        {
            (string name, Guid uid) = (feed.Feed.Name, feed.Feed.Uid);
            await status.ClearAsync(name, uid, c => c.Type is ConditionType.SearchFailed or ConditionType.StoreFailed && IsOver(c.Message, undone), cancellationToken);
            if (_damaged.FirstOrDefault(d => d.Feed == name) is { } damage)
            {
                await status.SetConditionAsync(name, uid, ConditionType.SearchFailed, damage.Problem, cancellationToken);
            }
        }
        // A feed has one condition of a type: what stood behind the one that went is said again.
        foreach ((ConditionType type, string message, _) in _failing.Values)
        {
            await SayAsync(type, message, cancellationToken);
        }
        _news = false;
    }

    private bool IsOver(string message, IReadOnlySet<FailureMark> undone) => FailureMark.Of(message) is { } mark
        ? !_failing.ContainsKey(mark) && (_well.Contains(mark) || !undone.Contains(mark))
        // Of a damaged set, or of an earlier version: which sets are damaged is known once the newest snapshot is.
        : _well.Contains(FailureMark.Snapshot);

    internal async Task FailedAsync(string search, LogSource source, Exception problem, CancellationToken cancellationToken)
    {
        SearchingLog.StepFailed(logger, search, source.Name, problem);
        (ConditionType type, string message) = Words(source, problem);
        await FailedAsync(new FailureMark(search, source.Id), type, message, cancellationToken);
    }

    /// <summary>The newest indicators could not be loaded, which all searches wait for that have nothing else to do.</summary>
    internal Task SnapshotFailedAsync(Exception problem, CancellationToken cancellationToken) => FailedAsync(
        FailureMark.Snapshot, ConditionType.SearchFailed, $"The newest indicators could not be loaded ({problem.GetType().Name}). It is tried again; nothing is lost. The process log has the details.", cancellationToken);

    private async Task FailedAsync(FailureMark what, ConditionType type, string problem, CancellationToken cancellationToken)
    {
        Meters.SearchFailures.Add(1, new KeyValuePair<string, object?>("search", what.Search));
        string message = what.Before(problem);
        await _one.WaitAsync(cancellationToken);
        try
        {
            // Said again now and then: a feed may have come meanwhile, and another process may have taken it back.
            if (_failing.TryGetValue(what, out var before) && before.Message == message && before.SaidAt is { } at && time.GetUtcNow() - at < SayEvery)
            {
                return;
            }
            _well.Remove(what);
            _failing[what] = (type, message, null);
            await SayAsync(type, message, cancellationToken);
            _failing[what] = (type, message, time.GetUtcNow());
        }
        catch (Exception second) when (second is not OperationCanceledException)
        {
            // The database may be what failed; the condition is set by the next failure that can write it.
            SearchingLog.ConditionNotWritten(logger, second);
        }
        finally
        {
            _one.Release();
        }
    }

    private static (ConditionType Type, string Message) Words(LogSource source, Exception problem) => problem is LogStoreException
        ? (ConditionType.StoreFailed, $"The log store could not be read: {problem.Message}. Searching goes on from where it stopped as soon as it can.")
        : (ConditionType.SearchFailed, $"Searching {source.Name} failed ({problem.GetType().Name}). It is tried again; nothing is lost. The process log has the details.");

    private async Task SayAsync(ConditionType type, string message, CancellationToken cancellationToken)
    {
        foreach (StoredFeed feed in await catalog.ListAsync(cancellationToken))
        {
            if (feed.Feed.Spec.Enabled)
            {
                await status.SetConditionAsync(feed.Feed.Name, feed.Feed.Uid, type, message, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Stamps the enabled feeds whose sets are not damaged with a time by which everything that had arrived has been compared: each at the first such time, then at most once a minute.
    /// Where records come all the time there is always one that is not compared yet: what had arrived at one look is compared at another.
    /// </summary>
    public async Task StampAsync(CancellationToken cancellationToken)
    {
        var stamped = new Dictionary<Guid, DateTimeOffset>();
        Arrived? waiting = null;
        while (true)
        {
            try
            {
                DateTimeOffset at = time.GetUtcNow();
                // The feeds first: one that comes between is not yet among those that "everything has been compared with".
                List<Feed> feeds = [.. (await catalog.ListAsync(cancellationToken)).Select(f => f.Feed).Where(f => f.Spec.Enabled)];
                SearchState state = await states.GetAsync(cancellationToken);
                var now = new Arrived(at, feeds, state.Places, state.Generation);
                Arrived? compared = now.IsCompared(state) ? now : waiting?.IsCompared(state) == true ? waiting : null;
                waiting = compared is null && waiting is not null ? waiting : now;
                if (compared is not null)
                {
                    List<Feed> due = compared.Feeds.FindAll(f => !state.Damaged.Contains(f.Name) && !state.LookBacks.Any(l => l.Feed == f.Name)
                        && (!stamped.TryGetValue(f.Uid, out DateTimeOffset last) || compared.At - last >= StampEvery));
                    if (due.Count > 0)
                    {
                        await status.SearchedAsync([.. due.Select(f => (f.Name, f.Uid))], compared.At, cancellationToken);
                        due.ForEach(f => stamped[f.Uid] = compared.At);
                    }
                }
                foreach (Guid gone in stamped.Keys.Except(feeds.Select(f => f.Uid)).ToList())
                {
                    stamped.Remove(gone);
                }
                // Searches come to rest many times a second; nobody needs to look that often.
                await Task.Delay(LookEvery, time, cancellationToken);
            }
            catch (Exception problem) when (problem is not OperationCanceledException)
            {
                SearchingLog.ConditionNotWritten(logger, problem);
            }
            await _idle.WaitAsync(StampEvery, cancellationToken);
        }
    }
}
