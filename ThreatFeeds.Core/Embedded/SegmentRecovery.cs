using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>Reads the frames of a segment's file back into its index.</summary>
internal static class SegmentRecovery
{
    /// <summary>Of a sealed segment: indexes frames by their headers up to its sealed length; checksums are looked at when a frame is read.</summary>
    /// <param name="onKey">Called with each idempotency key and its frame.</param>
    public static void WalkSealed(IDurableFile file, Segment segment, long length, Action<string, FramePlace> onKey) => Walk(file, segment, length, verify: false, 0, onKey);

    /// <summary>
    /// Of a segment that was being written: indexes whole frames, each checksum verified. A damaged frame within the first <paramref name="acknowledged"/>
    /// bytes is indexed and marked damaged; behind them the first one that is not whole is the torn tail and ends it.
    /// </summary>
    public static void WalkUnsealed(IDurableFile file, Segment segment, long acknowledged, Action<string, FramePlace> onKey) =>
        Walk(file, segment, file.Length, verify: true, acknowledged, onKey);

    private static void Walk(IDurableFile file, Segment segment, long limit, bool verify, long acknowledged, Action<string, FramePlace> onKey)
    {
        Span<byte> head = stackalloc byte[Frame.HeaderBytes];
        byte[] start = new byte[Segment.HeaderBytes];
        if (file.Read(0, start) < start.Length || !Segment.IsHeader(start, segment.Number, out _))
        {
            return;
        }
        byte[] bytes = [];
        while (file.Read(segment.Length, head) == head.Length && Frame.TryReadHeader(head, out FrameHeader header))
        {
            if (header.FirstOrdinal != segment.Records || segment.Length + header.Length > limit)
            {
                return;
            }
            int wanted = verify ? header.Length : header.LinesAt;
            if (bytes.Length < wanted)
            {
                bytes = GC.AllocateUninitializedArray<byte>(wanted);
            }
            bool whole = file.Read(segment.Length, bytes.AsSpan(0, wanted)) == wanted && (!verify || Frame.IsWhole(bytes.AsSpan(0, wanted)));
            if (!whole && segment.Length + header.Length > acknowledged)
            {
                return;
            }
            FramePlace place = segment.Add(header);
            if (!whole)
            {
                segment.MarkDamaged(segment.Frames - 1);
            }
            else if (header.KeyBytes > 0)
            {
                onKey(Encoding.UTF8.GetString(bytes, Frame.HeaderBytes + header.FormatBytes, header.KeyBytes), place);
            }
        }
    }
}
