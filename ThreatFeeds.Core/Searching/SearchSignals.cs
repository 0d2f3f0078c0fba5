using System.Collections.Concurrent;
using ThreatFeeds.Listings;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Searching;

/// <summary>Wakes the searches: appends wake the forward search of their source, changes of what is listed wake everything.</summary>
public sealed class SearchSignals : IDisposable
{
    private readonly ConcurrentDictionary<string, Wake> _forward = new(StringComparer.Ordinal);
    private readonly ListingChanges _listings;
    private readonly TimeProvider _time;

    public SearchSignals(ListingChanges listings, TimeProvider time)
    {
        _listings = listings;
        _time = time;
        Snapshot = new Wake(time);
        listings.ListingChanged += All;
    }

    /// <summary>Raised with a source's id when it may have look-backs to do. Handlers must return at once.</summary>
    public event Action<string>? LookBackWanted;

    internal Wake Snapshot { get; }

    internal Wake Forward(LogSource source) => _forward.GetOrAdd(source.Id, _ => new Wake(_time));

    internal void Appended(LogSource source) => Forward(source).Up();

    public void WantLookBack(string source) => LookBackWanted?.Invoke(source);

    /// <summary>Wakes all forward searches: what is listed has changed, or the snapshot of it is there.</summary>
    internal void WakeForward()
    {
        foreach (Wake wake in _forward.Values)
        {
            wake.Up();
        }
    }

    /// <summary>The source is gone.</summary>
    internal void Forget(string source) => _forward.TryRemove(source, out _);

    /// <summary>Whether a search of the source waits to be woken, or was told of its records.</summary>
    internal bool Knows(string source) => _forward.ContainsKey(source);

    internal Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => Task.Delay(pause, _time, cancellationToken);

    public void Dispose() => _listings.ListingChanged -= All;

    private void All()
    {
        Snapshot.Up();
        WakeForward();
    }
}
