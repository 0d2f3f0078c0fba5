using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>Reads the frames of a segment's file back into its index.</summary>
internal static class SegmentRecovery
{
    /// <summary>Indexes frames by their headers up to <paramref name="limit"/> bytes; with <paramref name="verify"/> every checksum too. Stops at the first frame that is not whole.</summary>
    /// <param name="onKey">Called with each idempotency key.</param>
    public static void Walk(IDurableFile file, Segment segment, long limit, bool verify, Action<string> onKey)
    {
        Span<byte> head = stackalloc byte[Frame.HeaderBytes];
        byte[] start = new byte[Segment.HeaderBytes];
        if (file.Read(0, start) < start.Length || !start.AsSpan().SequenceEqual(Segment.Header(segment.Number)))
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
            if (file.Read(segment.Length, bytes.AsSpan(0, wanted)) < wanted || (verify && !Frame.IsWhole(bytes.AsSpan(0, wanted))))
            {
                return;
            }
            if (header.KeyBytes > 0)
            {
                onKey(Encoding.UTF8.GetString(bytes, Frame.HeaderBytes + header.FormatBytes, header.KeyBytes));
            }
            segment.Add(header);
        }
    }
}
