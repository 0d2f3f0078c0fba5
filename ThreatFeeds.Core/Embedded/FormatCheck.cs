namespace ThreatFeeds.Embedded;

/// <summary>
/// Looks at the version of every file before the first is changed: in a folder that a later program used, nothing may be called damaged, cut off or deleted, not
/// even in the files whose format stayed.
/// </summary>
internal static class FormatCheck
{
    /// <param name="folder">Of all records.</param>
    /// <param name="kindFolders">Those below it, which are there.</param>
    /// <exception cref="Logs.LogStoreException">A file is of a later version, or is damaged so that the store cannot be opened.</exception>
    public static void Run(IDurableFiles files, string folder, IEnumerable<string> kindFolders)
    {
        StoreId.Find(files, folder);
        foreach (string kind in kindFolders)
        {
            SegmentLedger.Open(files, kind);
            AcknowledgedFile.Check(files, kind);
            byte[] header = new byte[Segment.HeaderBytes];
            foreach (long number in Segment.Numbers(files, kind))
            {
                string path = Path.Combine(kind, Segment.FileName(number));
                if (TryRead(files, path, header) && Segment.IsHeader(header, number, out int version))
                {
                    NewerFormat.Refuse(path, version, Segment.Version);
                }
            }
        }
    }

    /// <summary>One that the disk cannot give is left as it is, and looked at when it is read.</summary>
    private static bool TryRead(IDurableFiles files, string path, byte[] header)
    {
        try
        {
            using IDurableFile file = files.OpenRead(path);
            return file.Read(0, header) == header.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
