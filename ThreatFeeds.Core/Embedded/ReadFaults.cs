using System.Collections.Concurrent;

namespace ThreatFeeds.Embedded;

/// <summary>
/// Places that the disk cannot give, and since when. They are tried again for as long as <see cref="GivenUpAfter"/>: most such faults pass, and records that wait
/// are better than records that are passed over. Safe for threads.
/// </summary>
internal sealed class ReadFaults(TimeProvider time)
{
    /// <summary>What could not be read for so long, at any try, is given up.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<(long Segment, long Place), long> _since = new();

    /// <summary>Notes that a place could not be read.</summary>
    /// <returns>Whether that has lasted long enough to give it up.</returns>
    public bool IsOver(long segment, long place) => time.GetElapsedTime(_since.GetOrAdd((segment, place), _ => time.GetTimestamp())) >= GivenUpAfter;

    /// <summary>The place was read, or is given up.</summary>
    public void Settled(long segment, long place)
    {
        if (!_since.IsEmpty)
        {
            _since.TryRemove((segment, place), out _);
        }
    }
}
