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
        var segment = new Segment(number, PathOf(number));
        SealedSegment? known = Ledger.Sealed.GetValueOrDefault(number);
        using (IDurableFile file = _files.OpenWrite(segment.Path))
        {
            if (known is not null)
            {
                SegmentRecovery.WalkSealed(file, segment, known, (key, frame) => _keys.TryAdd(key, number, frame));
            }
            else
            {
                SegmentRecovery.WalkUnsealed(file, segment, promised, (key, frame) => _keys.TryAdd(key, number, frame));
                if (segment.Records > 0)
                {
                    CutTail(file, segment, damaged: segment.Records < promised.Records);
                }
            }
        }
        if (known is null && segment.Records == 0 && promised.Records == 0)
        {
            // No record of it was ever acknowledged or readable.
            _files.Delete(segment.Path);
            return null;
        }
        SealedSegment figures = known ?? new SealedSegment(
            number, Math.Max(segment.Length, promised.Length), Math.Max(segment.Records, promised.Records), Later(segment.Newest, promised.Newest));
        segment.Seal(figures);
        segment.MarkDamaged(damaged);
        _segments.Add(segment);
        See(number, segment.Records, segment.Newest);
        return known is null ? figures : null;
    }

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
