using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>Reads the frames of a segment's file back into its index.</summary>
internal static class SegmentRecovery
{
    /// <summary>Of a sealed segment: indexes frames by their headers as far as its sealed figures go; checksums are looked at when a frame is read.</summary>
    /// <param name="onKey">Called with each idempotency key and its frame.</param>
    public static void WalkSealed(IDurableFile file, Segment segment, SealedSegment known, Action<string, FramePlace> onKey) =>
        Walk(file, segment, verify: false, new Acknowledged(known.Number, known.Records, known.Length, known.Newest), onKey);

    /// <summary>
    /// Of a segment that was being written: indexes whole frames, each checksum verified. A damaged frame within what was acknowledged is indexed and marked
    /// damaged; behind that the first one that is not whole is the torn tail and ends it.
    /// </summary>
    public static void WalkUnsealed(IDurableFile file, Segment segment, Acknowledged acknowledged, Action<string, FramePlace> onKey) =>
        Walk(file, segment, verify: true, acknowledged, onKey);

    /// <param name="acknowledged">A header that was not verified is believed as far as this goes, so that damage in it loses no more than there was.</param>
    private static void Walk(IDurableFile file, Segment segment, bool verify, Acknowledged acknowledged, Action<string, FramePlace> onKey)
    {
        Span<byte> head = stackalloc byte[Frame.HeaderBytes];
        byte[] start = new byte[Segment.HeaderBytes];
        if (file.Read(0, start) < start.Length || !Segment.IsHeader(start, segment.Number, out _))
        {
            return;
        }
        long length = file.Length;
        byte[] bytes = [];
        while (file.Read(segment.Length, head) == head.Length && Frame.TryReadHeader(head, out FrameHeader header) && header.FirstOrdinal == segment.Records)
        {
            bool known = segment.Length + header.Length <= acknowledged.Length && segment.Records + header.Count <= acknowledged.Records;
            bool there = segment.Length + header.Length <= length;
            if (!(verify ? there : known))
            {
                return;
            }
            int wanted = verify ? header.Length : header.LinesAt;
            if (bytes.Length < wanted)
            {
                bytes = GC.AllocateUninitializedArray<byte>(wanted);
            }
            bool whole = file.Read(segment.Length, bytes.AsSpan(0, wanted)) == wanted && (!verify || Frame.IsWhole(bytes.AsSpan(0, wanted)));
            if (!whole && !known)
            {
                return;
            }
            // Nothing is newer than what was acknowledged last, whatever a damaged header says.
            FramePlace place = segment.Add(whole && verify ? header : header with { ArrivedAt = acknowledged.Newest });
            if (!whole)
            {
                segment.MarkDamaged([new DamagedRange(segment.Number, header.FirstOrdinal, header.Count)]);
            }
            else if (header.KeyBytes > 0)
            {
                onKey(Encoding.UTF8.GetString(bytes, Frame.HeaderBytes + header.FormatBytes, header.KeyBytes), place);
            }
        }
    }
}
