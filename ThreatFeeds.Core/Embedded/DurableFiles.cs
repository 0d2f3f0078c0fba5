using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThreatFeeds.Embedded;

/// <summary>The real file system.</summary>
internal sealed partial class DurableFiles : IDurableFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int NotPermitted = 13; // EACCES
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Told of each folder that was synced.</summary>
    public Action<string>? FolderSynced { get; init; }

    public void CreateFolder(string path)
    {
        path = Path.GetFullPath(path);
        if (!Directory.Exists(path))
        {
            string? above = Path.GetDirectoryName(path);
            if (above is not null && !Directory.Exists(above))
            {
                CreateFolder(above);
            }
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, OwnerOnly);
            }
            if (above is not null)
            {
                SyncFolder(above);
            }
        }
        else if (!OperatingSystem.IsWindows())
        {
            // Somebody else may have made it a moment ago, without a sync.
            if (Path.GetDirectoryName(path) is { } above)
            {
                try
                {
                    SyncFolder(above);
                }
                catch (IOException e) when (e.HResult == NotPermitted)
                {
                    // A folder above that is not ours to open was made by its owner.
                }
            }
        }
    }

    public IReadOnlyList<string> List(string folder) => [.. Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f))];

    public bool Exists(string path) => File.Exists(path);

    public IDurableFile Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite };
        // FileStream takes a mode for new files, OpenHandle does not; the handle is then opened anew.
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerFile;
        }
        new FileStream(path, options).Dispose();
        return OpenWrite(path);
    }

    // Sharing is wide open: readers and deletion go on beside the writer, and the lock file keeps other processes out.
    public IDurableFile OpenWrite(string path) =>
        new DurableFile(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));

    public IDurableFile OpenRead(string path) =>
        new DurableFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan));

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncFolder(string path)
    {
        // Windows has no such call; there NTFS journals the names.
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        // .NET opens no folders, so the C library does: open(path, O_RDONLY), fsync.
        int descriptor = Open(path, 0);
        if (descriptor < 0)
        {
            throw Failure("open", path);
        }
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Sync(handle) != 0)
        {
            throw Failure("sync", path);
        }
        FolderSynced?.Invoke(path);
    }

    public IDisposable? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    private static IOException Failure(string what, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"The folder {path} cannot be {what}ed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(SafeFileHandle descriptor);

    private sealed class DurableFile(SafeFileHandle handle) : IDurableFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public int Read(long offset, Span<byte> buffer)
        {
            int total = 0;
            while (total < buffer.Length)
            {
                int read = RandomAccess.Read(handle, buffer[total..], offset + total);
                if (read == 0)
                {
                    break;
                }
                total += read;
            }
            return total;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(handle, bytes, offset);

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
