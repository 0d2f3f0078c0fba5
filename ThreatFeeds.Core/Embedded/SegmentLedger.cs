using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>The final figures of a segment that is no longer written.</summary>
internal sealed record SealedSegment(long Number, long Length, long Records, DateTimeOffset Newest);

/// <summary>
/// Segments that were deleted, recorded before their files went: all from <paramref name="First"/> to <paramref name="Last"/>, whatever numbers of them were ever used.
/// </summary>
/// <param name="Head">The last record of them; before all when they held none.</param>
/// <param name="Lost">Those of their records that went before every search had passed them, or that were damaged.</param>
internal sealed record DeletedSegments(long First, long Last, Position Head, long Records, DateTimeOffset Newest, long Lost)
{
    public static DeletedSegments One(long number, long records, DateTimeOffset newest, long lost) =>
        new(number, number, records == 0 ? Position.BeforeAll : new Position(number, records - 1), records, newest, lost);

    public DeletedSegments With(DeletedSegments next) => new(
        First, next.Last, next.Head > Head ? next.Head : Head, Records + next.Records, next.Newest > Newest ? next.Newest : Newest, Lost + next.Lost);
}

/// <summary>What the ledger says at one moment; never changed once it is there for readers.</summary>
internal sealed record LedgerState(
    SortedDictionary<long, SealedSegment> Sealed, SortedDictionary<long, DeletedSegments> Deleted, SortedDictionary<(long Number, long First), DamagedRange> Damaged)
{
    public static LedgerState Empty { get; } = new([], [], []);

    public bool IsDeleted(long number) => Deleted.Values.Any(d => d.First <= number && number <= d.Last);

    /// <summary>Joins what was deleted with no kept segment between, so that there are never more such entries than kept segments, but for one.</summary>
    public LedgerState Joined()
    {
        var joined = new SortedDictionary<long, DeletedSegments>();
        long[] kept = [.. Sealed.Keys];
        int next = 0;
        DeletedSegments? last = null;
        foreach (DeletedSegments one in Deleted.Values)
        {
            int before = next;
            while (next < kept.Length && kept[next] < one.First)
            {
                next++;
            }
            if (last is not null && next == before)
            {
                joined.Remove(last.Last);
                last = last.With(one);
            }
            else
            {
                last = one;
            }
            joined[last.Last] = last;
        }
        return this with { Deleted = joined };
    }
}

/// <summary>
/// What is known of a kind's segments beside their files: how far each sealed one goes (anything behind was never acknowledged), what in them is damaged
/// and what deleted ones held. A small text file (<see cref="LedgerText"/>), always written anew and renamed into place.
/// </summary>
internal sealed class SegmentLedger
{
    private readonly IDurableFiles _files;
    private readonly string _folder;
    private readonly Lock _writing = new();
    private volatile LedgerState _state = LedgerState.Empty;

    private SegmentLedger(IDurableFiles files, string folder)
    {
        _files = files;
        _folder = folder;
    }

    public IReadOnlyDictionary<long, SealedSegment> Sealed => _state.Sealed;

    public IReadOnlyCollection<DeletedSegments> Deleted => _state.Deleted.Values;

    public bool IsDeleted(long number) => _state.IsDeleted(number);

    public IReadOnlyCollection<DamagedRange> Damaged => _state.Damaged.Values;

    /// <summary>Version of the file as it was found; 0 when there was none.</summary>
    public int FoundVersion { get; private set; }

    /// <summary>Records that went before every search had passed them, or that were damaged. Only grows.</summary>
    public long Lost
    {
        get
        {
            LedgerState state = _state;
            return state.Deleted.Values.Sum(d => d.Lost) + state.Damaged.Values.Sum(d => d.Records);
        }
    }

    public static SegmentLedger Open(IDurableFiles files, string folder)
    {
        var ledger = new SegmentLedger(files, folder);
        string path = PathIn(folder);
        if (files.Exists(path))
        {
            (ledger._state, ledger.FoundVersion) = LedgerText.Read(path, DurableText.Read(files, path, LedgerText.MostBytes));
        }
        return ledger;
    }

    public static string PathIn(string folder) => Path.Combine(folder, "ledger");

    /// <summary>
    /// Durable on return. When it throws, nothing has changed for this process, but the new text may stand on the disk already, where the next start reads it
    /// unless it is written anew before. Damage of a deleted segment counts with the segment.
    /// </summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Add(IReadOnlyCollection<SealedSegment> sealedNow, IReadOnlyCollection<DeletedSegments> deletedNow, IReadOnlyCollection<DamagedRange> damagedNow)
    {
        lock (_writing)
        {
            LedgerState was = _state;
            var next = new LedgerState(new(was.Sealed), new(was.Deleted), []);
            // One that went meanwhile must not come back.
            foreach (SealedSegment one in sealedNow.Where(o => !was.IsDeleted(o.Number)))
            {
                next.Sealed[one.Number] = one;
            }
            foreach (DeletedSegments one in deletedNow)
            {
                next.Sealed.Remove(one.Last);
                next.Deleted[one.Last] = one;
            }
            next = next.Joined();
            // Also of damage that was met while its segment went.
            foreach (DamagedRange one in DamagedRange.Joined(was.Damaged.Values.Concat(damagedNow)).GroupBy(d => d.Number).Where(g => !next.IsDeleted(g.Key)).SelectMany(g => g))
            {
                next.Damaged[(one.Number, one.First)] = one;
            }
            DurableText.Replace(_files, _folder, PathIn(_folder), LedgerText.Write(next));
            _state = next;
        }
    }
}
