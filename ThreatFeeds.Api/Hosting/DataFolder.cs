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
            _held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
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

    /// <summary>A new volume holds what its file system puts there; what holds our lock was ours before.</summary>
    private static bool IsFree(string directory) =>
        File.Exists(EmbeddedOptions.LockFile(directory)) || Directory.EnumerateFileSystemEntries(directory).All(e => Path.GetFileName(e) == "lost+found");
}
