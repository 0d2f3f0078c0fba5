
namespace ThreatFeeds.Searching;

/// <summary>Notices searches that have work and do not move, whatever keeps them: a failure again and again, or a step that never ends.</summary>
public sealed class Standstill(TimeProvider time)
{
    /// <summary>A search that stands this long is stalled.</summary>
    public static readonly TimeSpan After = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private Dictionary<string, (string Place, long Since)> _waiting = new(StringComparer.Ordinal);

    /// <summary>Whether a search has stood at one place for longer than <see cref="After"/>.</summary>
    public bool Stalled
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Values.Any(w => time.GetElapsedTime(w.Since) > After);
            }
        }
    }

    /// <summary>Takes down where the searches stand that have something left to do. Call it at least every two minutes.</summary>
    internal void Observe(IReadOnlyDictionary<string, string> places)
    {
        long now = time.GetTimestamp();
        lock (_lock)
        {
            _waiting = places.ToDictionary(
                p => p.Key, p => (p.Value, _waiting.TryGetValue(p.Key, out (string Place, long Since) was) && was.Place == p.Value ? was.Since : now), StringComparer.Ordinal);
        }
    }
}
