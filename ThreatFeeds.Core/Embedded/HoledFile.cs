namespace ThreatFeeds.Embedded;

/// <summary>A file in which pages that the disk cannot give are zeros, so that no more is lost than the frames that stand in them. Does not own the file.</summary>
internal sealed class HoledFile(IDurableFile file) : IDurableFile
{
    /// <summary>The least that a disk reads or fails to.</summary>
    private const int PageBytes = 4096;

    public long Length => file.Length;

    public int Read(long offset, Span<byte> buffer)
    {
        int wanted = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        int at = 0;
        while (at < wanted)
        {
            int bytes = Math.Min(wanted - at, PageBytes - (int)((offset + at) % PageBytes));
            Span<byte> page = buffer.Slice(at, bytes);
            try
            {
                page[file.Read(offset + at, page)..].Clear();
            }
            catch (IOException)
            {
                page.Clear();
            }
            at += bytes;
        }
        return wanted;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

    public void SetLength(long length) => file.SetLength(length);

    public void Sync() => file.Sync();

    public void Dispose() { }
}
