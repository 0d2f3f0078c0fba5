using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>What a start makes of the files it finds.</summary>
internal sealed partial class KindLog
{
    private void Recover(Position floor)
    {
        var numbers = new SortedSet<long>();
        foreach (string name in _files.List(Folder))
        {
            if (name.EndsWith(".seg", StringComparison.Ordinal) && long.TryParse(name.AsSpan(0, name.Length - 4), out long number))
            {
                numbers.Add(number);
            }
        }
        long highest = floor.Segment;
        foreach (DeletedSegment gone in Ledger.Deleted.Values)
        {
            highest = Math.Max(highest, gone.Number);
            See(gone.Number, gone.Records, gone.Newest);
            if (numbers.Remove(gone.Number))
            {
                _files.Delete(PathOf(gone.Number));
            }
        }
        var missing = new List<DeletedSegment>();
        foreach (SealedSegment known in Ledger.Sealed.Values.Where(s => !numbers.Contains(s.Number)))
        {
            EmbeddedLog.SegmentMissing(_logger, PathOf(known.Number), known.Records);
            missing.Add(new DeletedSegment(known.Number, known.Records, known.Newest));
            highest = Math.Max(highest, known.Number);
            See(known.Number, known.Records, known.Newest);
        }
        var sealedNow = new List<SealedSegment>();
        foreach (long number in numbers)
        {
            highest = Math.Max(highest, number);
            if (RecoverSegment(number) is { } figures)
            {
                sealedNow.Add(figures);
            }
        }
        if (missing.Count > 0 || sealedNow.Count > 0)
        {
            Ledger.Add(sealedNow, missing);
        }
        NextNumber = highest + 1;
    }

    /// <returns>The figures of a segment the ledger does not know as sealed yet.</returns>
    private SealedSegment? RecoverSegment(long number)
    {
        var segment = new Segment(number, PathOf(number));
        SealedSegment? known = Ledger.Sealed.GetValueOrDefault(number);
        using (IDurableFile file = _files.OpenWrite(segment.Path))
        {
            long length = file.Length;
            SegmentRecovery.Walk(file, segment, known?.Length ?? length, verify: known is null, key => _keys.TryAdd(key, number));
            if (known is null && segment.Records > 0)
            {
                if (length > segment.Length)
                {
                    EmbeddedLog.TailCut(_logger, segment.Path, segment.Length, length - segment.Length);
                    file.SetLength(segment.Length);
                }
                // Also when nothing was cut: whole frames may stand in the system's memory only, after a process that was killed before its sync.
                file.Sync();
            }
        }
        if (known is null && segment.Records == 0)
        {
            // No record of it was ever acknowledged or readable.
            _files.Delete(segment.Path);
            return null;
        }
        if (known is not null && known.Records > segment.Records)
        {
            EmbeddedLog.SegmentDamaged(_logger, segment.Path, segment.Length, known.Records - segment.Records);
        }
        SealedSegment figures = known ?? new SealedSegment(number, segment.Length, segment.Records, segment.Newest ?? DateTimeOffset.UnixEpoch);
        segment.Seal(figures);
        _segments.Add(segment);
        See(number, segment.Records, segment.Newest);
        return known is null ? figures : null;
    }

    private string PathOf(long number) => Path.Combine(Folder, Segment.FileName(number));
}
