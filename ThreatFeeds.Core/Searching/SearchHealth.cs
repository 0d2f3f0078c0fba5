using Microsoft.Extensions.Logging;
using ThreatFeeds.Feeds;
using ThreatFeeds.Logs;
using ThreatFeeds.Manifests;
using ThreatFeeds.Sets;
using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Searching;

/// <summary>Says on the feeds how searching goes: lastSuccessfulSearch, and the conditions SearchFailed and StoreFailed.</summary>
public sealed class SearchHealth(FeedCatalog catalog, FeedStatusWriter status, SearchStates states, ILogger<SearchHealth> logger, TimeProvider time) : IDisposable
{
    /// <summary>lastSuccessfulSearch is written at most this often.</summary>
    private static readonly TimeSpan StampEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    internal const string Forward = "forward";
    internal const string LookBack = "look-back";

    /// <summary>Searches that failed last; true once the feeds say so.</summary>
    private readonly Dictionary<(string Search, string Source), bool> _failing = [];

    private readonly SemaphoreSlim _one = new(1);

    /// <summary>A condition may stand on a feed: one being written or taken back when the database failed, or one from before this process began.</summary>
    private volatile bool _mayStand = true;

    private readonly Wake _idle = new(time);

    public void Dispose() => _one.Dispose();

    internal void Idle() => _idle.Up();

    internal void SourcesUnknown(Exception problem) => SearchingLog.SourcesUnknown(logger, problem);

    internal async Task SucceededAsync(string search, LogSource source, CancellationToken cancellationToken)
    {
        if (!_mayStand)
        {
            return;
        }
        await _one.WaitAsync(cancellationToken);
        try
        {
            _failing.Remove((search, source.Id));
            if (_failing.Count == 0 && _mayStand)
            {
                foreach (StoredFeed feed in await catalog.ListAsync(cancellationToken))
                {
                    await status.ClearAsync(feed.Feed.Name, feed.Feed.Uid, cancellationToken, ConditionType.SearchFailed, ConditionType.StoreFailed);
                }
                _mayStand = false;
            }
        }
        finally
        {
            _one.Release();
        }
    }

    internal async Task FailedAsync(string search, LogSource source, Exception problem, CancellationToken cancellationToken)
    {
        SearchingLog.StepFailed(logger, search, source.Name, problem);
        Meters.SearchFailures.Add(1, new KeyValuePair<string, object?>("search", search));
        await _one.WaitAsync(cancellationToken);
        try
        {
            _mayStand = true;
            if (_failing.TryGetValue((search, source.Id), out bool said) && said)
            {
                return;
            }
            _failing[(search, source.Id)] = false;
            await SayAsync(source, problem, cancellationToken);
            _failing[(search, source.Id)] = true;
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

    private async Task SayAsync(LogSource source, Exception problem, CancellationToken cancellationToken)
    {
        bool store = problem is LogStoreException;
        string message = store
            ? $"The log store could not be read: {problem.Message}. Searching goes on from where it stopped as soon as it can."
            : problem is DamagedSetException ? problem.Message
            : $"Searching {source.Name} failed ({problem.GetType().Name}). It is tried again; nothing is lost. The process log has the details.";
        foreach (StoredFeed feed in await catalog.ListAsync(cancellationToken))
        {
            if (feed.Feed.Spec.Enabled)
            {
                await status.SetConditionAsync(feed.Feed.Name, feed.Feed.Uid, store ? ConditionType.StoreFailed : ConditionType.SearchFailed, message, cancellationToken);
            }
        }
    }

    /// <summary>Stamps the enabled feeds when everything that had arrived has been compared: each at the first such moment, then at most once a minute.</summary>
    public async Task StampAsync(CancellationToken cancellationToken)
    {
        var stamped = new Dictionary<Guid, DateTimeOffset>();
        while (true)
        {
            try
            {
                DateTimeOffset at = time.GetUtcNow();
                // The feeds first: one that comes between is not yet among those that "everything has been compared with".
                List<Feed> feeds = [.. (await catalog.ListAsync(cancellationToken)).Select(f => f.Feed).Where(f => f.Spec.Enabled)];
                SearchState state = await states.GetAsync(cancellationToken);
                List<Feed> due = feeds.FindAll(f => !stamped.TryGetValue(f.Uid, out DateTimeOffset last) || at - last >= StampEvery);
                if (state.Idle && due.Count > 0)
                {
                    await status.SearchedAsync([.. due.Select(f => (f.Name, f.Uid))], at, cancellationToken);
                    due.ForEach(f => stamped[f.Uid] = at);
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
