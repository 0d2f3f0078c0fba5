using System.Globalization;
using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>
/// The ledger as text: a title that ends with the version, a line for each entry, and a checksum. Version 1 did not know of losses and damage, versions 1 and 2
/// had a line for each deleted segment.
/// </summary>
internal static class LedgerText
{
    public const int Version = 3;

    /// <summary>Some four million kept segments.</summary>
    public const int MostBytes = 256 << 20;

    private const string Title = "threatfeeds segments ";
    private const string ChecksumWord = "crc32c ";

    public static string Write(LedgerState state)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Title}{Version}\n");
        foreach (SealedSegment one in state.Sealed.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"sealed {one.Number} {one.Length} {one.Records} {one.Newest.UtcTicks}\n");
        }
        foreach (DeletedSegments one in state.Deleted.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"deleted {one.First} {one.Last} {one.Head.Segment} {one.Head.Ordinal} {one.Records} {one.Newest.UtcTicks} {one.Lost}\n");
        }
        foreach (DamagedRange one in state.Damaged.Values)
        {
            text.Append(CultureInfo.InvariantCulture, $"damaged {one.Number} {one.First} {one.Records}\n");
        }
        // Taken apart: an interpolated append would put the word in before the text is read.
        string checksum = Checksum(text.ToString());
        return text.Append(checksum).ToString();
    }

    /// <exception cref="LogStoreException">It is damaged, or of a later version; which file, and what to do, is said.</exception>
    public static (LedgerState State, int Version) Read(string path, byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        int titleEnd = text.IndexOf('\n', StringComparison.Ordinal);
        if (titleEnd < 0 || !text.StartsWith(Title, StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(Title.Length, titleEnd - Title.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1)
        {
            throw DurableText.Damaged(path);
        }
        // Before the checksum: a later version may have another.
        NewerFormat.Refuse(path, version, Version);
        int checksumAt = text.LastIndexOf(ChecksumWord, StringComparison.Ordinal);
        if (checksumAt <= titleEnd || text[checksumAt..] != Checksum(text[..checksumAt]))
        {
            throw DurableText.Damaged(path);
        }
        LedgerState state = LedgerState.Empty with { Sealed = [], Deleted = [], Damaged = [] };
        foreach (string line in text[(titleEnd + 1)..checksumAt].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryAdd(state, line, version))
            {
                throw DurableText.Damaged(path);
            }
        }
        return (state, version);
    }

    /// <summary>False when the line cannot be one, which a right checksum alone does not rule out.</summary>
    private static bool TryAdd(LedgerState state, string line, int version)
    {
        string[] words = line.Split(' ');
        Span<long> n = stackalloc long[7];
        if (words.Length - 1 > n.Length)
        {
            return false;
        }
        for (int i = 1; i < words.Length; i++)
        {
            if (!long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out n[i - 1]))
            {
                return false;
            }
        }
        switch ((words[0], words.Length - 1, version))
        {
            case ("sealed", 4, _) when Segment.IsNumber(n[0]) && n[1] >= Segment.HeaderBytes && IsCount(n[1]) && IsCount(n[2]) && IsTime(n[3]):
                return state.Sealed.TryAdd(n[0], new SealedSegment(n[0], n[1], n[2], Time(n[3])));
            case ("damaged", 3, >= 2) when Segment.IsNumber(n[0]) && IsCount(n[1]) && IsCount(n[2]) && n[2] > 0:
                return state.Damaged.TryAdd((n[0], n[1]), new DamagedRange(n[0], n[1], n[2]));
            case ("deleted", 3, 1) when Segment.IsNumber(n[0]) && IsCount(n[1]) && IsTime(n[2]):
                return state.Deleted.TryAdd(n[0], DeletedSegments.One(n[0], n[1], Time(n[2]), 0));
            case ("deleted", 4, 2) when Segment.IsNumber(n[0]) && IsCount(n[1]) && IsTime(n[2]) && IsCount(n[3]):
                return state.Deleted.TryAdd(n[0], DeletedSegments.One(n[0], n[1], Time(n[2]), n[3]));
            case ("deleted", 7, >= 3) when Segment.IsNumber(n[0]) && Segment.IsNumber(n[1]) && n[0] <= n[1] && n[2] <= n[1] && IsCount(n[3]) && IsCount(n[4]) && IsTime(n[5]) && IsCount(n[6]):
                return state.Deleted.TryAdd(n[1], new DeletedSegments(n[0], n[1], new Position(n[2], n[3]), n[4], Time(n[5]), n[6]));
            default:
                return false;
        }
    }

    /// <summary>So far below the end of all numbers that sums of them stay there too.</summary>
    private static bool IsCount(long count) => count <= Segment.MostNumber;

    private static bool IsTime(long ticks) => ticks <= DateTimeOffset.MaxValue.Ticks;

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);

    private static string Checksum(string text) => string.Create(CultureInfo.InvariantCulture, $"{ChecksumWord}{Crc32C.Of(Encoding.UTF8.GetBytes(text)):x8}\n");
}
