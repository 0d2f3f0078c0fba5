using System.Globalization;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>The final figures of a segment that is no longer written.</summary>
internal sealed record SealedSegment(long Number, long Length, long Records, DateTimeOffset Newest);

/// <summary>A segment that was deleted, recorded before its file went.</summary>
/// <param name="Lost">Those of its records that went before every search had passed them, or that were damaged.</param>
internal sealed record DeletedSegment(long Number, long Records, DateTimeOffset Newest, long Lost);

/// <summary>Acknowledged records of a segment that is kept which cannot be read any more.</summary>
internal sealed record DamagedRange(long Number, long First, long Records)
{
    public long End => First + Records;

    /// <summary>Those at or behind the ordinal.</summary>
    public long From(long ordinal) => Math.Clamp(End - ordinal, 0, Records);
}

/// <summary>
/// What is known of a kind's segments beside their files: how far each sealed one goes (anything behind was never acknowledged), what in them is damaged
/// and what deleted ones held. A small text file, always written anew and renamed into place. Its title ends with its version: 1 did not
/// know of losses and damage.
/// </summary>
internal sealed class SegmentLedger
{
    private const string Title = "threatfeeds segments ";
    public const int Version = 2;
    private const string ChecksumWord = "crc32c ";

    private readonly IDurableFiles _files;
    private readonly string _folder;
    private readonly string _path;
    private SortedDictionary<long, SealedSegment> _sealed = [];
    private readonly Lock _writing = new();
    private SortedDictionary<long, DeletedSegment> _deleted = [];
    private SortedDictionary<(long Number, long First), DamagedRange> _damaged = [];

    private SegmentLedger(IDurableFiles files, string folder)
    {
        _files = files;
        _folder = folder;
        _path = Path.Combine(folder, "ledger");
    }

    public IReadOnlyDictionary<long, SealedSegment> Sealed => _sealed;

    public IReadOnlyDictionary<long, DeletedSegment> Deleted => _deleted;

    public IReadOnlyCollection<DamagedRange> Damaged => _damaged.Values;

    /// <summary>Version of the file as it was found; 0 when there was none.</summary>
    public int FoundVersion { get; private set; }

    /// <summary>Records that went before every search had passed them, or that were damaged. Only grows.</summary>
    public long Lost => _deleted.Values.Sum(d => d.Lost) + _damaged.Values.Sum(d => d.Records);

    public static SegmentLedger Open(IDurableFiles files, string folder)
    {
        var ledger = new SegmentLedger(files, folder);
        if (files.Exists(ledger._path))
        {
            using IDurableFile file = files.OpenRead(ledger._path);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            ledger.Parse(Encoding.UTF8.GetString(bytes));
        }
        return ledger;
    }

    /// <summary>Durable on return; when it throws nothing has changed. Damage of a deleted segment counts with the segment.</summary>
    public void Add(IReadOnlyCollection<SealedSegment> sealedNow, IReadOnlyCollection<DeletedSegment> deletedNow, IReadOnlyCollection<DamagedRange> damagedNow)
    {
        lock (_writing)
        {
            var nextSealed = new SortedDictionary<long, SealedSegment>(_sealed);
            var nextDeleted = new SortedDictionary<long, DeletedSegment>(_deleted);
            var nextDamaged = new SortedDictionary<(long Number, long First), DamagedRange>(_damaged);
            foreach (SealedSegment one in sealedNow)
            {
                nextSealed[one.Number] = one;
            }
            foreach (DamagedRange one in damagedNow)
            {
                Remove(nextDamaged, d => d.Number == one.Number && d.First >= one.First && d.End <= one.End);
                nextDamaged[(one.Number, one.First)] = one;
            }
            foreach (DeletedSegment one in deletedNow)
            {
                nextSealed.Remove(one.Number);
                nextDeleted[one.Number] = one;
                Remove(nextDamaged, d => d.Number == one.Number);
            }
            Write(nextSealed, nextDeleted, nextDamaged);
            // Readers hold the old dictionaries; they are never changed.
            _sealed = nextSealed;
            _deleted = nextDeleted;
            _damaged = nextDamaged;
        }
    }

    private static void Remove(SortedDictionary<(long Number, long First), DamagedRange> ranges, Func<DamagedRange, bool> which)
    {
        foreach ((long, long) key in ranges.Where(r => which(r.Value)).Select(r => r.Key).ToList())
        {
            ranges.Remove(key);
        }
    }

    private void Write(SortedDictionary<long, SealedSegment> sealedAll, SortedDictionary<long, DeletedSegment> deletedAll, SortedDictionary<(long Number, long First), DamagedRange> damagedAll)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Title}{Version}\n");
        foreach (SealedSegment one in sealedAll.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"sealed {one.Number} {one.Length} {one.Records} {one.Newest.UtcTicks}\n");
        }
        foreach (DeletedSegment one in deletedAll.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"deleted {one.Number} {one.Records} {one.Newest.UtcTicks} {one.Lost}\n");
        }
        foreach (DamagedRange one in damagedAll.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"damaged {one.Number} {one.First} {one.Records}\n");
        }
        // Taken apart: an interpolated append would put the word in before the text is read.
        uint checksum = Crc32C.Of(Encoding.UTF8.GetBytes(text.ToString()));
        text.Append(CultureInfo.InvariantCulture, $"{ChecksumWord}{checksum:x8}\n");
        DurableText.Replace(_files, _folder, _path, text.ToString());
    }

    private void Parse(string text)
    {
        int checksumAt = text.LastIndexOf(ChecksumWord, StringComparison.Ordinal);
        string expected = checksumAt < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{ChecksumWord}{Crc32C.Of(Encoding.UTF8.GetBytes(text[..checksumAt])):x8}\n");
        if (checksumAt < 0 || text[checksumAt..] != expected || !text.StartsWith(Title, StringComparison.Ordinal))
        {
            throw new LogStoreException($"The file {_path} is damaged. Restore the folder from a backup, or move it away to start with an empty log store.");
        }
        string[] lines = text[..checksumAt].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        FoundVersion = int.Parse(lines[0].AsSpan(Title.Length), CultureInfo.InvariantCulture);
        if (FoundVersion > Version)
        {
            throw new LogStoreException($"The file {_path} was written by a newer version of this program. Start that one, or restore the folder from a backup made before.");
        }
        foreach (string line in lines.Skip(1))
        {
            string[] words = line.Split(' ');
            long[] numbers = [.. words.Skip(1).Select(w => long.Parse(w, CultureInfo.InvariantCulture))];
            switch (words[0])
            {
                case "sealed":
                    _sealed[numbers[0]] = new SealedSegment(numbers[0], numbers[1], numbers[2], new DateTimeOffset(numbers[3], TimeSpan.Zero));
                    break;
                case "damaged":
                    _damaged[(numbers[0], numbers[1])] = new DamagedRange(numbers[0], numbers[1], numbers[2]);
                    break;
                default:
                    _deleted[numbers[0]] = new DeletedSegment(numbers[0], numbers[1], new DateTimeOffset(numbers[2], TimeSpan.Zero), FoundVersion == 1 ? 0 : numbers[3]);
                    break;
            }
        }
    }
}

/// <summary>Small files that are replaced as a whole.</summary>
internal static class DurableText
{
    public static void Replace(IDurableFiles files, string folder, string path, string text)
    {
        string draft = path + ".new";
        using (IDurableFile file = files.Create(draft))
        {
            file.Write(0, Encoding.UTF8.GetBytes(text));
            file.Sync();
        }
        files.Rename(draft, path);
        files.SyncFolder(folder);
    }
}
