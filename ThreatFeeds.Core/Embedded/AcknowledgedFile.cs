using System.Buffers.Binary;

namespace ThreatFeeds.Embedded;

/// <summary>How far the segment being written was acknowledged.</summary>
internal readonly record struct Acknowledged(long Number, long Records, long Length, DateTimeOffset Newest);

/// <summary>
/// Beside the segment being written: how far it was acknowledged, so that a start tells damage from a tail that nobody was promised. Written after each
/// sync of the segment and never synced itself: after a killed process it is exact, after a crash of the machine it may say less, never more.
/// Two slots of 64 bytes take turns, so that one is always whole: magic (6), version (2), turn, number, records, length, ticks (8 each), CRC-32C (4).
/// </summary>
internal sealed class AcknowledgedFile : IDisposable
{
    private const int SlotBytes = 64;
    private const int CheckedBytes = 48;
    private static ReadOnlySpan<byte> Magic => "TFACK\u0001"u8;
    private const ushort Version = 1;

    private readonly IDurableFile _file;
    private long _turn;

    private AcknowledgedFile(IDurableFile file) => _file = file;

    public Acknowledged? Found { get; private set; }

    public static AcknowledgedFile Open(IDurableFiles files, string folder)
    {
        string path = PathIn(folder);
        if (files.Exists(path))
        {
            var known = new AcknowledgedFile(files.OpenWrite(path));
            known.Read();
            return known;
        }
        IDurableFile file = files.Create(path);
        try
        {
            file.Write(0, new byte[2 * SlotBytes]);
            file.Sync();
            files.SyncFolder(folder);
            return new AcknowledgedFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="Logs.LogStoreException">The file, should there be one, was written by a later program.</exception>
    public static void Check(IDurableFiles files, string folder)
    {
        string path = PathIn(folder);
        if (files.Exists(path))
        {
            using var file = new AcknowledgedFile(files.OpenRead(path));
            foreach ((int version, _) in file.Slots())
            {
                NewerFormat.Refuse(path, version, Version);
            }
        }
    }

    public void Write(in Acknowledged what)
    {
        Span<byte> slot = stackalloc byte[SlotBytes];
        slot.Clear();
        Magic.CopyTo(slot);
        BinaryPrimitives.WriteUInt16LittleEndian(slot[Magic.Length..], Version);
        _turn++;
        BinaryPrimitives.WriteInt64LittleEndian(slot[8..], _turn);
        BinaryPrimitives.WriteInt64LittleEndian(slot[16..], what.Number);
        BinaryPrimitives.WriteInt64LittleEndian(slot[24..], what.Records);
        BinaryPrimitives.WriteInt64LittleEndian(slot[32..], what.Length);
        BinaryPrimitives.WriteInt64LittleEndian(slot[40..], what.Newest.UtcTicks);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[CheckedBytes..], Crc32C.Of(slot[..CheckedBytes]));
        _file.Write(_turn % 2 * SlotBytes, slot);
    }

    public void Dispose() => _file.Dispose();

    private static string PathIn(string folder) => Path.Combine(folder, "acknowledged");

    private void Read()
    {
        foreach ((_, byte[] slot) in Slots())
        {
            long turn = BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(8));
            long number = BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(16));
            long records = BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(24));
            long length = BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(32));
            long ticks = BinaryPrimitives.ReadInt64LittleEndian(slot.AsSpan(40));
            if (turn > _turn && Math.Max(Math.Max(turn, records), length) <= Segment.MostNumber && Math.Min(records, length) >= 0
                && Segment.IsNumber(number) && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks)
            {
                _turn = turn;
                Found = new Acknowledged(number, records, length, new DateTimeOffset(ticks, TimeSpan.Zero));
            }
        }
    }

    /// <summary>The whole ones, of whatever version: later ones keep the places of magic, version and checksum.</summary>
    private IEnumerable<(int Version, byte[] Slot)> Slots()
    {
        for (int at = 0; at < 2 * SlotBytes; at += SlotBytes)
        {
            byte[] slot = new byte[SlotBytes];
            _file.Read(at, slot);
            if (slot.AsSpan().StartsWith(Magic) && BinaryPrimitives.ReadUInt32LittleEndian(slot.AsSpan(CheckedBytes)) == Crc32C.Of(slot.AsSpan(0, CheckedBytes)))
            {
                yield return (BinaryPrimitives.ReadUInt16LittleEndian(slot.AsSpan(Magic.Length)), slot);
            }
        }
    }
}
