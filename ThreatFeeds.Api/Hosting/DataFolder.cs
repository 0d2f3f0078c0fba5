using System.Runtime.Versioning;
using ThreatFeeds.Embedded;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The folder everything is kept in; one process at a time uses it. Made here, only its owner may look inside; a folder that is there already keeps its mode, and is
/// taken only when nobody else has a claim to it.
/// </summary>
internal sealed class DataFolder(Settings settings) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private FileStream? _held;

    /// <exception cref="SettingsException">It cannot be made or written to, or is somebody else's.</exception>
    public static void Prepare(string directory)
    {
        try
        {
            Create(directory);
            if (OperatingSystem.IsLinux() && FolderAccess.Of(directory).Problem(UnixUser.Current(), () => IsFree(directory)) is { } problem)
            {
                throw new SettingsException($"Data:Directory '{directory}' cannot be used: {problem}.");
            }
            if (OperatingSystem.IsLinux() && Foreign(directory) is { } foreign)
            {
                throw new SettingsException($"Data:Directory '{directory}' cannot be used: its group may write in it, and {foreign}. Take that right away (chmod g-w) once you know whose it is, or name another folder.");
            }
            string probe = Path.Combine(directory, $".writable-{Guid.NewGuid():N}");
            using (File.Create(probe, 1, FileOptions.DeleteOnClose))
            {
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Data:Directory '{directory}' cannot be written to: {problem.Message}", problem);
        }
    }

    /// <summary>
    /// Keeps every other process out until this one ends, before anything in the folder is changed, the database's version above all. The file is the
    /// one that versions before lock as well.
    /// </summary>
    /// <exception cref="SettingsException">Another process uses it.</exception>
    public void Hold()
    {
        if (_held is not null)
        {
            return;
        }
        string file = EmbeddedOptions.LockFile(settings.Data.Directory);
        Create(Path.GetDirectoryName(file)!);
        try
        {
            _held = OpenOwn(file);
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new SettingsException($"Data:Directory '{settings.Data.Directory}' cannot be used: {problem.Message}", problem);
        }
        catch (IOException problem) when (File.Exists(file))
        {
            throw new SettingsException($"Another process uses the data folder {settings.Data.Directory}. Stop it, or give this one another folder (--data).", problem);
        }
    }

    public void Dispose() => _held?.Dispose();

    private static void Create(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly);
        }
    }

    /// <summary>
    /// Opens the file, or makes it. Where others may write in the folder, what stands there under its name may be a link to a file of ours elsewhere, which must not
    /// be made, opened for writing or locked: a new file is made under its own name only, one that is there is looked at before it is opened and once it is.
    /// </summary>
    private static FileStream OpenOwn(string file)
    {
        bool there = Stands(file);
        if (OperatingSystem.IsLinux() && there && FolderAccess.OfItself(file).ProblemOfFile(UnixUser.Current()) is { } problem)
        {
            throw new SettingsException($"The lock '{file}' cannot be used: {problem}. Remove it when no other process uses the folder.");
        }
        FileStream open;
        try
        {
            open = new FileStream(file, there ? FileMode.Open : FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (!there && Stands(file))
        {
            // Another process made it in between.
            return OpenOwn(file);
        }
        if (OperatingSystem.IsLinux() && FolderAccess.Of(open.SafeFileHandle).ProblemOfFile(UnixUser.Current()) is { } changed)
        {
            open.Dispose();
            throw new SettingsException($"The lock '{file}' cannot be used: {changed}. Remove it when no other process uses the folder.");
        }
        return open;
    }

    /// <summary>Also when it is a link that leads nowhere.</summary>
    private static bool Stands(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>What in a folder in which others may write is not this process's own; null when there is nothing. In a folder that is ours alone an operator may have set links.</summary>
    [SupportedOSPlatform("linux")]
    private static string? Foreign(string directory)
    {
        UnixUser user = UnixUser.Current();
        FolderAccess access = FolderAccess.Of(directory);
        if (!access.Mode.HasFlag(UnixFileMode.GroupWrite))
        {
            return null;
        }
        // One folder deep: those in it this process makes for itself alone.
        return Directory.EnumerateFileSystemEntries(directory).Where(e => Path.GetFileName(e) != "lost+found")
            .Select(e => File.GetAttributes(e).HasFlag(FileAttributes.ReparsePoint) ? $"'{e}' in it is a link" : FolderAccess.OfItself(e).Owner != user.Id ? $"'{e}' in it belongs to somebody else" : null)
            .FirstOrDefault(p => p is not null);
    }

    /// <summary>A new volume holds what its file system puts there; what holds our lock was ours before.</summary>
    private static bool IsFree(string directory) =>
        (OperatingSystem.IsLinux() && EmbeddedOptions.LockFile(directory) is var held && Stands(held) && FolderAccess.OfItself(held).ProblemOfFile(UnixUser.Current()) is null)
        || Directory.EnumerateFileSystemEntries(directory).All(e => Path.GetFileName(e) == "lost+found");
}
