namespace ThreatFeeds.Embedded;

/// <summary>
/// The file system as the store uses it. Nothing counts as kept before it was synced: the bytes of a file by the file's own sync, a file's creation,
/// renaming and deletion by a sync of its folder. Tests put in one that forgets everything else.
/// </summary>
internal interface IDurableFiles
{
    /// <summary>Creates a folder and those above it for the owner alone; they are durable on return.</summary>
    void CreateFolder(string path);

    /// <summary>Names (without folder) of the files in a folder.</summary>
    IReadOnlyList<string> List(string folder);

    bool Exists(string path);

    /// <summary>Creates the file, or empties the one that is there.</summary>
    IDurableFile Create(string path);

    /// <summary>Opens a file for reading and writing.</summary>
    IDurableFile OpenWrite(string path);

    /// <summary>Opens a file for reading beside others; <see cref="FileNotFoundException"/> when there is none.</summary>
    IDurableFile OpenRead(string path);

    void Rename(string from, string to);

    void Delete(string path);

    void SyncFolder(string path);

    /// <summary>Takes a file nobody else may hold until it is disposed; null when somebody does.</summary>
    IDisposable? TryLock(string path);
}

/// <summary>An open file.</summary>
internal interface IDurableFile : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer as far as the file goes.</summary>
    int Read(long offset, Span<byte> buffer);

    void Write(long offset, ReadOnlySpan<byte> bytes);

    void SetLength(long length);

    void Sync();
}
