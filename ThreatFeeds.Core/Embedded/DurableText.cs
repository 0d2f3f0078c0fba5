using System.Text;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Embedded;

/// <summary>Small files that are read and replaced as a whole.</summary>
internal static class DurableText
{
    /// <param name="most">Bytes that such a file has at most.</param>
    /// <exception cref="LogStoreException">It has more: it is not the file that was written.</exception>
    public static byte[] Read(IDurableFiles files, string path, int most)
    {
        using IDurableFile file = files.OpenRead(path);
        long length = file.Length;
        if (length > most)
        {
            throw Damaged(path);
        }
        byte[] bytes = new byte[length];
        return bytes[..file.Read(0, bytes)];
    }

    public static void Replace(IDurableFiles files, string folder, string path, string text)
    {
        string draft = path + ".new";
        using (IDurableFile file = files.Create(draft))
        {
            file.Write(0, Encoding.UTF8.GetBytes(text));
            file.Sync();
        }
        files.Rename(draft, path);
        files.SyncFolder(folder);
    }

    /// <summary>What is said of such a file that cannot be read, since nothing of it can be guessed.</summary>
    public static LogStoreException Damaged(string path) =>
        new($"The file {path} is damaged. Restore the folder from a backup, or move it away to start with an empty log store.");
}
