using System.Buffers.Binary;
using System.Globalization;

namespace ThreatFeeds.Embedded;

/// <summary>Where a frame stands in its segment.</summary>
internal readonly record struct FramePlace(long Offset, int Length);

/// <summary>Frames that follow each other: a few short ones, or a long one.</summary>
/// <param name="Offset">Where the first begins.</param>
/// <param name="First">Its first record.</param>
/// <param name="Lost">No frame, but damage between two whole ones that a start found.</param>
internal readonly record struct Stride(long Offset, long First, bool Lost = false)
{
    /// <summary>Bytes of frames that share an entry in the index; a longer frame has one of its own.</summary>
    public const int Bytes = 64 << 10;
}

/// <summary>What readers may see of a segment at one moment. The array only ever grows behind <paramref name="Count"/>.</summary>
/// <param name="Records">Records once acknowledged, also those that are damaged.</param>
/// <param name="End">Where the last frame in the index ends, and the ordinal behind its last record.</param>
/// <param name="Damaged">The damage that is known; never changed once it is there for readers.</param>
internal readonly record struct SegmentView(long Number, string Path, Stride[] Strides, int Count, Stride End, long Records, IReadOnlyList<DamagedRange> Damaged)
{
    /// <summary>Index of the stride that holds the ordinal.</summary>
    public int IndexOf(long ordinal)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (EndOf(middle).First <= ordinal)
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

    /// <summary>Where the stride ends: the next one's begin, or that of what will follow.</summary>
    public Stride EndOf(int index) => index + 1 < Count ? Strides[index + 1] : End;
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

    private Stride[] _strides = new Stride[4];
    private int _count;
    private Stride _end = new(HeaderBytes, 0);
    private SealedSegment? _figures;
    private List<DamagedRange> _damaged = [];

    public long Number => number;

    public string Path => path;

    /// <summary>Bytes that are synced and hold whole frames.</summary>
    public long Length => _figures?.Length ?? _end.Offset;

    /// <summary>Records that were acknowledged.</summary>
    public long Records => _figures?.Records ?? _end.First;

    public DateTimeOffset? Newest { get; private set; }

    public bool IsSealed { get; private set; }

    /// <summary>The disk could not give it when the store opened: what is in it is known from elsewhere alone, and it has no index yet.</summary>
    public bool IsUnread { get; private set; }

    public SegmentView View() => new(number, path, _strides, _count, _end, Records, _damaged);

    /// <summary>Adds a frame at the end.</summary>
    public FramePlace Add(in FrameHeader header)
    {
        var place = new FramePlace(_end.Offset, header.Length);
        if (_count == 0 || _strides[_count - 1].Lost || _end.Offset + header.Length - _strides[_count - 1].Offset > Stride.Bytes)
        {
            Begin(_end);
        }
        _end = new Stride(_end.Offset + header.Length, _end.First + header.Count);
        Newest = Newest > header.ArrivedAt ? Newest : header.ArrivedAt;
        return place;
    }

    /// <summary>Adds damage at the end, up to the next whole frame, which begins at that offset and with that record.</summary>
    public void AddLost(long offset, long first)
    {
        Begin(_end with { Lost = true });
        if (first > _end.First)
        {
            MarkDamaged([new DamagedRange(number, _end.First, first - _end.First)]);
        }
        _end = new Stride(offset, first);
    }

    /// <summary>Takes what is known of it from elsewhere; nothing of it counts as lost before it is given up.</summary>
    public void LeaveUnread(SealedSegment figures)
    {
        Seal(figures);
        IsUnread = true;
    }

    /// <summary>Takes the sealed figures from the ledger; records beyond what could be indexed are lost.</summary>
    public void Seal(SealedSegment figures)
    {
        IsSealed = true;
        _figures = figures;
        Newest = figures.Newest;
    }

    public void Seal() => IsSealed = true;

    /// <summary>Notes damage.</summary>
    /// <returns>What of it was not known.</returns>
    public IReadOnlyList<DamagedRange> MarkDamaged(IEnumerable<DamagedRange> ranges)
    {
        var fresh = new List<DamagedRange>();
        int at = 0;
        foreach (DamagedRange one in DamagedRange.Joined(ranges))
        {
            while (at < _damaged.Count && _damaged[at].End < one.End)
            {
                at++;
            }
            if (at == _damaged.Count || !_damaged[at].Holds(one))
            {
                fresh.Add(one);
            }
        }
        if (fresh.Count > 0)
        {
            _damaged = DamagedRange.Joined(_damaged.Concat(fresh));
        }
        return fresh;
    }

    /// <summary>The damage that is known, and what of its acknowledged records stands behind its index.</summary>
    public IReadOnlyList<DamagedRange> DamagedRanges() => IsUnread ? _damaged : LostOf(Records);

    /// <summary>What of so many acknowledged records its index lacks.</summary>
    public IReadOnlyList<DamagedRange> LostOf(long records) =>
        _end.First < records ? DamagedRange.Joined(_damaged.Append(new DamagedRange(number, _end.First, records - _end.First))) : _damaged;

    private void Begin(Stride stride)
    {
        if (_count == _strides.Length)
        {
            // Views keep the old array.
            Array.Resize(ref _strides, _count * 2);
        }
        _strides[_count++] = stride;
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
