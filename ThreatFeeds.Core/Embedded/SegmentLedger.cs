using System.Globalization;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>The final figures of a segment that is no longer written.</summary>
internal sealed record SealedSegment(long Number, long Length, long Records, DateTimeOffset Newest);

/// <summary>A segment that was deleted, recorded before its file went.</summary>
internal sealed record DeletedSegment(long Number, long Records, DateTimeOffset Newest);

/// <summary>
/// What is known of a kind's segments beside their files: how far each sealed one goes (anything behind was never acknowledged) and what deleted ones
/// held. A small text file, always written anew and renamed into place.
/// </summary>
internal sealed class SegmentLedger
{
    private const string Title = "threatfeeds segments 1";
    private const string ChecksumWord = "crc32c ";

    private readonly IDurableFiles _files;
    private readonly string _folder;
    private readonly string _path;
    private SortedDictionary<long, SealedSegment> _sealed = [];
    private SortedDictionary<long, DeletedSegment> _deleted = [];

    private SegmentLedger(IDurableFiles files, string folder)
    {
        _files = files;
        _folder = folder;
        _path = Path.Combine(folder, "ledger");
    }

    public IReadOnlyDictionary<long, SealedSegment> Sealed => _sealed;

    public IReadOnlyDictionary<long, DeletedSegment> Deleted => _deleted;

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

    /// <summary>Durable on return; when it throws nothing has changed.</summary>
    public void Add(IReadOnlyCollection<SealedSegment> sealedNow, IReadOnlyCollection<DeletedSegment> deletedNow)
    {
        var nextSealed = new SortedDictionary<long, SealedSegment>(_sealed);
        var nextDeleted = new SortedDictionary<long, DeletedSegment>(_deleted);
        foreach (SealedSegment one in sealedNow)
        {
            nextSealed[one.Number] = one;
        }
        foreach (DeletedSegment one in deletedNow)
        {
            nextSealed.Remove(one.Number);
            nextDeleted[one.Number] = one;
        }
        Write(nextSealed, nextDeleted);
        // Readers hold the old dictionaries; they are never changed.
        _sealed = nextSealed;
        _deleted = nextDeleted;
    }

    private void Write(SortedDictionary<long, SealedSegment> sealedAll, SortedDictionary<long, DeletedSegment> deletedAll)
    {
        var text = new StringBuilder().Append(Title).Append('\n');
        foreach (SealedSegment one in sealedAll.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"sealed {one.Number} {one.Length} {one.Records} {one.Newest.UtcTicks}\n");
        }
        foreach (DeletedSegment one in deletedAll.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"deleted {one.Number} {one.Records} {one.Newest.UtcTicks}\n");
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
        if (checksumAt < 0 || text[checksumAt..] != expected || !text.StartsWith(Title + "\n", StringComparison.Ordinal))
        {
            throw new LogStoreException($"The file {_path} is damaged. Restore the folder from a backup, or move it away to start with an empty log store.");
        }
        foreach (string line in text[..checksumAt].Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            string[] words = line.Split(' ');
            long[] numbers = [.. words.Skip(1).Select(w => long.Parse(w, CultureInfo.InvariantCulture))];
            if (words[0] == "sealed")
            {
                _sealed[numbers[0]] = new SealedSegment(numbers[0], numbers[1], numbers[2], new DateTimeOffset(numbers[3], TimeSpan.Zero));
            }
            else
            {
                _deleted[numbers[0]] = new DeletedSegment(numbers[0], numbers[1], new DateTimeOffset(numbers[2], TimeSpan.Zero));
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
