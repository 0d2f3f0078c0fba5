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
        string path = Path.Combine(folder, "acknowledged");
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

    private void Read()
    {
        byte[] bytes = new byte[2 * SlotBytes];
        _file.Read(0, bytes);
        for (int at = 0; at < bytes.Length; at += SlotBytes)
        {
            ReadOnlySpan<byte> slot = bytes.AsSpan(at, SlotBytes);
            long turn = BinaryPrimitives.ReadInt64LittleEndian(slot[8..]);
            if (turn <= _turn || !slot.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(slot[CheckedBytes..]) != Crc32C.Of(slot[..CheckedBytes]))
            {
                continue;
            }
            // A whole slot was ours, so its numbers are; a later version says so in the ledger, which is read before.
            _turn = turn;
            Found = new Acknowledged(
                BinaryPrimitives.ReadInt64LittleEndian(slot[16..]), BinaryPrimitives.ReadInt64LittleEndian(slot[24..]), BinaryPrimitives.ReadInt64LittleEndian(slot[32..]),
                new DateTimeOffset(BinaryPrimitives.ReadInt64LittleEndian(slot[40..]), TimeSpan.Zero));
        }
    }
}
