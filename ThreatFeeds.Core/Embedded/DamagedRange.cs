namespace ThreatFeeds.Embedded;

/// <summary>Acknowledged records of a segment that is kept which cannot be read any more.</summary>
internal sealed record DamagedRange(long Number, long First, long Records)
{
    public long End => First + Records;

    /// <summary>Those at or behind the ordinal.</summary>
    public long From(long ordinal) => Math.Clamp(End - ordinal, 0, Records);

    public bool Holds(DamagedRange other) => Number == other.Number && First <= other.First && other.End <= End;

    /// <summary>The same records in order, with as few ranges as there can be.</summary>
    public static List<DamagedRange> Joined(IEnumerable<DamagedRange> ranges)
    {
        var joined = new List<DamagedRange>();
        foreach (DamagedRange one in ranges.OrderBy(r => r.Number).ThenBy(r => r.First))
        {
            if (joined is [.., var last] && last.Number == one.Number && one.First <= last.End)
            {
                joined[^1] = last with { Records = Math.Max(last.End, one.End) - last.First };
            }
            else
            {
                joined.Add(one);
            }
        }
        return joined;
    }
}
