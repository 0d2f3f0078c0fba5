using System.Buffers.Binary;
using System.Globalization;

namespace ThreatFeeds.Embedded;

/// <summary>Where a frame stands in its segment.</summary>
internal readonly record struct FramePlace(long Offset, long FirstOrdinal, int Count, int Length)
{
    public long EndOrdinal => FirstOrdinal + Count;
}

/// <summary>What readers may see of a segment at one moment. The array only ever grows behind <paramref name="Count"/>.</summary>
/// <param name="Records">Records once acknowledged, also those in damaged frames.</param>
/// <param name="Damaged">Indices of frames found damaged, or null.</param>
internal readonly record struct SegmentView(long Number, string Path, FramePlace[] Frames, int Count, long Length, long Records, IReadOnlySet<int>? Damaged)
{
    /// <summary>Index of the first frame that holds or follows the ordinal.</summary>
    public int IndexOf(long ordinal)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Frames[middle].EndOrdinal <= ordinal)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}

/// <summary>
/// One file of frames. The header's encoding byte says how frames are packed: 0, one after the other as they came; a program that packs them otherwise raises
/// the version too. Not safe for threads: <see cref="KindLog"/> guards it.
/// </summary>
internal sealed class Segment(long number, string path)
{
    /// <summary>Magic (6), version (1), encoding (1), number (8).</summary>
    public const int HeaderBytes = 16;

    /// <summary>Of the segment and of all frames in it: a start always begins a new segment, so one never holds frames of two versions.</summary>
    public const byte Version = 1;

    /// <summary>Above every number, count and length that is ever reached; what is above it was not written by us.</summary>
    public const long MostNumber = 1L << 48;

    private const byte PlainEncoding = 0;
    private const string Extension = ".seg";
    private static ReadOnlySpan<byte> Magic => "TFLOG\u0001"u8;

    private FramePlace[] _frames = new FramePlace[4];
    private int _count;
    private HashSet<int>? _damaged;

    public long Number => number;

    public string Path => path;

    /// <summary>Bytes that are synced and hold whole frames.</summary>
    public long Length { get; private set; } = HeaderBytes;

    /// <summary>Records that were acknowledged.</summary>
    public long Records { get; private set; }

    public DateTimeOffset? Newest { get; private set; }

    public bool IsSealed { get; private set; }

    /// <summary>Frames in the index.</summary>
    public int Frames => _count;

    public SegmentView View() => new(number, path, _frames, _count, Length, Records, _damaged);

    public FramePlace Add(in FrameHeader header)
    {
        if (_count == _frames.Length)
        {
            // Views keep the old array.
            Array.Resize(ref _frames, _count * 2);
        }
        _frames[_count++] = new FramePlace(Length, Records, header.Count, header.Length);
        Length += header.Length;
        Records += header.Count;
        Newest = Newest > header.ArrivedAt ? Newest : header.ArrivedAt;
        return _frames[_count - 1];
    }

    /// <summary>Takes the sealed figures from the ledger; records beyond what could be indexed are lost.</summary>
    public void Seal(SealedSegment figures)
    {
        IsSealed = true;
        Length = figures.Length;
        Records = figures.Records;
        Newest = figures.Newest;
    }

    public void Seal() => IsSealed = true;

    /// <summary>Marks the frame that begins there, should it be in the index.</summary>
    public void MarkDamagedAt(long firstOrdinal)
    {
        int frame = View().IndexOf(firstOrdinal);
        if (frame < _count && _frames[frame].FirstOrdinal == firstOrdinal)
        {
            MarkDamaged(frame);
        }
    }

    /// <summary>False when it was known already.</summary>
    public bool MarkDamaged(int frame)
    {
        if (_damaged?.Contains(frame) == true)
        {
            return false;
        }
        // A new set each time, since views hold the old one.
        _damaged = _damaged is null ? [frame] : [.. _damaged, frame];
        return true;
    }

    public static bool IsNumber(long number) => number is > 0 and <= MostNumber;

    public static byte[] Header(long number)
    {
        byte[] header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        header[Magic.Length] = Version;
        header[Magic.Length + 1] = PlainEncoding;
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), number);
        return header;
    }

    /// <summary>Whether these bytes begin the segment of that number, whatever its version.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> bytes, long number, out int version)
    {
        version = bytes[Magic.Length];
        return bytes.StartsWith(Magic) && version > 0 && BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) == number
            && (version > Version || bytes[Magic.Length + 1] == PlainEncoding);
    }

    /// <summary>The damage found in its index, and what of its acknowledged records is behind it.</summary>
    public IEnumerable<DamagedRange> DamagedRanges()
    {
        foreach (int frame in _damaged ?? [])
        {
            yield return new DamagedRange(number, _frames[frame].FirstOrdinal, _frames[frame].Count);
        }
        long indexed = _count == 0 ? 0 : _frames[_count - 1].EndOrdinal;
        if (indexed < Records)
        {
            yield return new DamagedRange(number, indexed, Records - indexed);
        }
    }

    /// <summary>Numbers of the segments in a folder; a file whose name is not quite that of a segment is somebody else's.</summary>
    public static SortedSet<long> Numbers(IDurableFiles files, string folder)
    {
        var numbers = new SortedSet<long>();
        foreach (string name in files.List(folder))
        {
            if (long.TryParse(name.AsSpan(0, Math.Max(0, name.Length - Extension.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                && IsNumber(number) && name == FileName(number))
            {
                numbers.Add(number);
            }
        }
        return numbers;
    }

    public static string FileName(long number) => number.ToString("D8", CultureInfo.InvariantCulture) + Extension;
}
