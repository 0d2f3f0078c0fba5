namespace ThreatFeeds.Api.Demo;

/// <summary>
/// The records of the made-up cluster around one moment: the day before it, and whatever comes after. The same moment gives the same records,
/// in the order of their flushing. Ordinary traffic goes on all the time; in it is the story, told by <see cref="SampleStory"/>.
/// </summary>
/// <param name="moment">What the story's hours are counted from.</param>
internal sealed class SampleDay(DateTimeOffset moment)
{
    /// <summary>How far back it goes.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromDays(1);

    /// <summary>Records flushed after <paramref name="from"/> and not after <paramref name="to"/>.</summary>
    public IReadOnlyList<SampleRecord> Between(DateTimeOffset from, DateTimeOffset to)
    {
        long first = Window(from) - 1;
        long last = Window(to) + 1;
        var records = new List<SampleRecord>();
        for (long window = first; window <= last; window++)
        {
            records.AddRange(Ordinary(window));
        }
        records.AddRange(SampleStory.Until(moment, to));
        return [.. records.Where(r => r.End > from && r.End <= to).OrderBy(r => r.End)];
    }

    private long Window(DateTimeOffset at) => (long)Math.Floor((at - moment) / SampleRecords.Flush);

    /// <summary>What the cluster does in one flush interval; who flushes when differs, so that records come all the time.</summary>
    private IEnumerable<SampleRecord> Ordinary(long window)
    {
        DateTimeOffset start = moment + (window * SampleRecords.Flush);
        for (int i = 0; i < SampleCluster.Calls.Length; i++)
        {
            (SamplePod from, SamplePod to, int port) = SampleCluster.Calls[i];
            int luck = Luck(window, i);
            if (luck % 3 == 0)
            {
                continue;
            }
            yield return SampleRecords.Inside(At(start, luck), from, to, port, 1 + (luck % 40), 2_000 + (luck % 90_000));
            if (luck % 2 == 0)
            {
                string service = $"{to.App}.{to.Namespace}.svc.cluster.local";
                yield return SampleRecords.Dns(At(start, luck + 7), from, service, "A", 1 + (luck % 9), (service, "A", to.Ip));
            }
        }
        for (int i = 0; i < SampleCluster.Errands.Length; i++)
        {
            (SamplePod from, SamplePartner to) = SampleCluster.Errands[i];
            int luck = Luck(window, 100 + i);
            if (luck % 2 == 0)
            {
                continue;
            }
            yield return SampleRecords.Dns(At(start, luck), from, to.Name, luck % 5 == 0 ? "AAAA" : "A", 1 + (luck % 4), (to.Name, "A", to.Ip));
            yield return SampleRecords.Outbound(At(start, luck + 3), from, to.Ip, 443, 1 + (luck % 6), 5_000 + (luck % 400_000));
        }
    }

    /// <summary>A whole second within the interval.</summary>
    private static DateTimeOffset At(DateTimeOffset start, int luck) => start.AddSeconds(luck % (int)SampleRecords.Flush.TotalSeconds);

    /// <summary>The same number for the same place, and no pattern one would see (the finaliser of splitmix64).</summary>
    private static int Luck(long window, int place)
    {
        unchecked
        {
            ulong z = ((ulong)window * 0x9E3779B97F4A7C15UL) + ((ulong)place * 0xD1B54A32D192ED03UL);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return (int)((z ^ (z >> 31)) & 0x7FFFFFFF);
        }
    }
}
