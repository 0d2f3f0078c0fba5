using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>What a start makes of the files it finds.</summary>
internal sealed partial class KindLog
{
    /// <param name="floor">Everything at or before it was acknowledged once, whatever the files say.</param>
    private void Recover(Position floor)
    {
        SortedSet<long> numbers = Segment.Numbers(_files, Folder);
        List<DeletedSegments> deletedNow = [.. RecoverDeleted(numbers, floor)];
        Dictionary<long, Acknowledged> promised = Promised(floor).ToDictionary(p => p.Number);
        foreach (Acknowledged known in promised.Values.Where(k => k.Records > 0 && !numbers.Contains(k.Number)))
        {
            EmbeddedLog.SegmentMissing(_logger, PathOf(known.Number), known.Records);
            deletedNow.Add(DeletedSegments.One(known.Number, known.Records, known.Newest, known.Records));
            See(known.Number, known.Records, known.Newest);
        }
        ILookup<long, DamagedRange> damaged = Ledger.Damaged.ToLookup(d => d.Number);
        var sealedNow = new List<SealedSegment>();
        foreach (long number in numbers)
        {
            if (RecoverSegment(number, promised.GetValueOrDefault(number), damaged[number]) is { } figures)
            {
                sealedNow.Add(figures);
            }
        }
        DamagedRange[] damagedNow = [.. _segments.SelectMany(s => s.DamagedRanges()).Except(Ledger.Damaged)];
        foreach (DamagedRange range in damagedNow)
        {
            EmbeddedLog.SegmentDamaged(_logger, PathOf(range.Number), range.First, range.Records);
        }
        // Also when nothing is new: a program before this one must not take the folder for one of its own.
        if (deletedNow.Count > 0 || sealedNow.Count > 0 || damagedNow.Length > 0 || Ledger.FoundVersion < LedgerText.Version)
        {
            Ledger.Add(sealedNow, deletedNow, damagedNow);
        }
        // What is gone must not make a search wait for it, nor a position be given twice.
        _head = _head > floor ? _head : floor;
        NextNumber = Math.Max(_head.Segment, Math.Max(numbers.Max, Ledger.Deleted.Select(d => d.Last).DefaultIfEmpty().Max())) + 1;
        NextNumber = Math.Max(NextNumber, (_acknowledged.Found?.Number ?? 0) + 1);
    }

    /// <summary>Finishes deletions that were under way.</summary>
    /// <returns>Those of a ledger that did not know of losses yet, with them: up to then records beyond the mark were counted when the mark passed them.</returns>
    private IEnumerable<DeletedSegments> RecoverDeleted(SortedSet<long> numbers, Position floor)
    {
        foreach (DeletedSegments gone in Ledger.Deleted)
        {
            if (gone.Head.Segment > 0)
            {
                See(gone.Head.Segment, gone.Head.Ordinal + 1, gone.Newest);
            }
            foreach (long number in numbers.GetViewBetween(gone.First, gone.Last).ToArray())
            {
                _files.Delete(PathOf(number));
                numbers.Remove(number);
            }
            long passed = Passed(gone.Last, gone.Records, floor);
            if (Ledger.FoundVersion == 1 && passed < gone.Records)
            {
                yield return gone with { Lost = gone.Records - passed };
            }
        }
    }

    /// <summary>What the ledger, the acknowledged file and the marks say was acknowledged.</summary>
    private IEnumerable<Acknowledged> Promised(Position floor)
    {
        foreach (SealedSegment known in Ledger.Sealed.Values)
        {
            yield return new Acknowledged(known.Number, known.Records, known.Length, known.Newest);
        }
        var open = new List<Acknowledged>();
        if (_acknowledged.Found is { } found)
        {
            open.Add(found);
        }
        if (floor > Position.BeforeAll && open.TrueForAll(o => o.Number != floor.Segment))
        {
            open.Add(new Acknowledged(floor.Segment, floor.Ordinal + 1, 0, DateTimeOffset.UnixEpoch));
        }
        foreach (Acknowledged one in open.Where(o => !Ledger.Sealed.ContainsKey(o.Number) && !Ledger.IsDeleted(o.Number)))
        {
            yield return one;
        }
    }

    /// <returns>The figures of a segment the ledger does not know as sealed yet.</returns>
    private SealedSegment? RecoverSegment(long number, Acknowledged promised, IEnumerable<DamagedRange> damaged)
    {
        SealedSegment? known = Ledger.Sealed.GetValueOrDefault(number);
        var promise = new Acknowledged(number, promised.Records, promised.Length, promised.Newest);
        Segment? segment = Index(promise, known is not null, out Exception? problem);
        if (segment is null)
        {
            // The others open all the same; whoever has to pass it looks again.
            EmbeddedLog.LeftUnread(_logger, PathOf(number), promised.Records, problem);
            segment = new Segment(number, PathOf(number));
            segment.LeaveUnread(Figures(promise, segment));
            segment.MarkDamaged(damaged);
            _segments.Add(segment);
            See(number, segment.Records, segment.Newest);
            return null;
        }
        if (known is null && segment.Records > 0)
        {
            using IDurableFile file = _files.OpenWrite(segment.Path);
            CutTail(file, segment, damaged: problem is not null || segment.Records < promised.Records);
        }
        if (known is null && problem is null && segment.Records == 0 && promised.Records == 0)
        {
            // No record of it was ever acknowledged or readable.
            _files.Delete(segment.Path);
            return null;
        }
        SealedSegment figures = known ?? Figures(promise, segment);
        segment.Seal(figures);
        segment.MarkDamaged(damaged);
        _segments.Add(segment);
        See(number, segment.Records, segment.Newest);
        return known is null ? figures : null;
    }

    /// <summary>Reads a segment's file.</summary>
    /// <param name="problem">Why not all of it could be read.</param>
    /// <returns>Null when the disk cannot give it, and it is to be tried again: what would be lost is neither known as such nor given up by now.</returns>
    private Segment? Index(in Acknowledged promise, bool isSealed, out Exception? problem)
    {
        long number = promise.Number;
        problem = null;
        Segment found;
        try
        {
            using IDurableFile file = _files.OpenRead(PathOf(number));
            try
            {
                return SegmentRecovery.Index(file, PathOf(number), promise, isSealed, Remember);
            }
            catch (IOException unreadable)
            {
                problem = unreadable;
                found = SegmentRecovery.Index(new HoledFile(file), PathOf(number), promise, isSealed, Remember);
            }
        }
        catch (UnauthorizedAccessException forbidden)
        {
            // It is all there; somebody has to allow it to be read.
            problem = forbidden;
            return null;
        }
        catch (IOException closed)
        {
            problem = closed;
            found = new Segment(number, PathOf(number));
        }
        IReadOnlyList<DamagedRange> lost = found.LostOf(promise.Records);
        // How far one goes that is not sealed is known only when it has been read.
        bool known = isSealed && lost.All(l => Ledger.Damaged.Any(d => d.Holds(l)));
        return known || _faults.IsOver(number, WholeSegment) ? found : null;

        void Remember(string key, FramePlace frame)
        {
            lock (_gate)
            {
                _keys.TryAdd(key, number, frame);
            }
        }
    }

    /// <summary>Reads what the start could not, before anybody passes it.</summary>
    /// <exception cref="LogStoreException">It still cannot be read, and is not given up yet.</exception>
    private void ReadUnread(long from, long to)
    {
        Segment[] unread;
        lock (_gate)
        {
            unread = [.. _segments.Where(s => s.IsUnread && s.Number >= from && s.Number <= to)];
        }
        foreach (Segment one in unread)
        {
            lock (_rereading)
            {
                SealedSegment? known = Ledger.Sealed.GetValueOrDefault(one.Number);
                lock (_gate)
                {
                    if (!_segments.Contains(one))
                    {
                        continue;
                    }
                }
                var promise = new Acknowledged(one.Number, one.Records, one.Length, one.Newest ?? DateTimeOffset.UnixEpoch);
                Segment segment = Index(promise, known is not null, out Exception? problem) ?? throw Unreadable(one.Path, problem!);
                SealedSegment figures = known ?? Figures(promise, segment);
                segment.Seal(figures);
                segment.MarkDamaged(Ledger.Damaged.Where(d => d.Number == one.Number));
                DamagedRange[] lost = [.. segment.DamagedRanges().Except(Ledger.Damaged)];
                // Written down first: where the disk takes nothing either, it is away, and nothing is given up.
                Ledger.Add(known is null ? [figures] : [], [], lost);
                if (lost.Length > 0)
                {
                    EmbeddedLog.GivenUp(_logger, one.Path, lost.Sum(l => l.Records), lost[0].First, problem);
                }
                _faults.Settled(one.Number, WholeSegment);
                lock (_gate)
                {
                    if (_segments.IndexOf(one) is >= 0 and var at)
                    {
                        _segments[at] = segment;
                        See(segment.Number, segment.Records, segment.Newest);
                    }
                }
            }
        }
    }

    private static SealedSegment Figures(in Acknowledged promise, Segment segment) => new(
        promise.Number, Math.Max(segment.Length, promise.Length), Math.Max(segment.Records, promise.Records), Later(segment.Newest, promise.Newest));

    private static LogStoreException Unreadable(string path, Exception problem) => new(
        $"The file {path} cannot be read: {problem.Message}. It is tried again; {(problem is UnauthorizedAccessException ? "allow this program to read it" : $"what the disk cannot give for {ReadFaults.GivenUpAfter.TotalMinutes} minutes is passed over and counts as dropped")}", problem);

    private void CutTail(IDurableFile file, Segment segment, bool damaged)
    {
        long length = file.Length;
        if (length > segment.Length && !damaged)
        {
            EmbeddedLog.TailCut(_logger, segment.Path, segment.Length, length - segment.Length);
            file.SetLength(segment.Length);
        }
        // Also when nothing was cut: whole frames may stand in the system's memory only, after a process that was killed before its sync.
        file.Sync();
    }

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b)
    {
        DateTimeOffset first = a ?? DateTimeOffset.UnixEpoch;
        return first > b ? first : b;
    }

    private string PathOf(long number) => Path.Combine(Folder, Segment.FileName(number));
}
