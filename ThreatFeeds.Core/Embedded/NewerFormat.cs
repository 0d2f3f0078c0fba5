using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Files that a later program wrote are not ours to read, to call damaged or to change.</summary>
internal static class NewerFormat
{
    /// <exception cref="LogStoreException">The version is above those that this program knows.</exception>
    public static void Refuse(string path, long found, long known)
    {
        if (found > known)
        {
            throw new LogStoreException(
                $"The file {path} was written by a newer version of this program: its format is version {found}, and this one reads versions up to {known}. "
                + "Start the newer program, or restore the folder from a backup made before.");
        }
    }
}
