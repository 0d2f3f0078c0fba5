using System.Globalization;
using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>A random id of a folder of records; positions mean nothing in another.</summary>
internal static class StoreId
{
    private const string Title = "threatfeeds store ";
    private const int Version = 1;
    private const int MostBytes = 1024;

    /// <summary>The folder's id, made when it has none.</summary>
    public static string Of(IDurableFiles files, string folder)
    {
        if (Find(files, folder) is { } known)
        {
            return known;
        }
        string id = Guid.NewGuid().ToString("N");
        DurableText.Replace(files, folder, PathIn(folder), $"{Title}{Version} {id}\n");
        return id;
    }

    /// <summary>The folder's id, or null when it has none.</summary>
    public static string? Find(IDurableFiles files, string folder)
    {
        string path = PathIn(folder);
        if (!files.Exists(path))
        {
            return null;
        }
        string text = Encoding.ASCII.GetString(DurableText.Read(files, path, MostBytes)).TrimEnd();
        string id = text;
        // The first program wrote the bare id.
        if (text.StartsWith(Title, StringComparison.Ordinal))
        {
            string[] words = text[Title.Length..].Split(' ');
            if (!int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int version))
            {
                throw DurableText.Damaged(path);
            }
            NewerFormat.Refuse(path, version, Version);
            id = words[^1];
        }
        return Guid.TryParseExact(id, "N", out Guid guid) ? guid.ToString("N") : throw DurableText.Damaged(path);
    }

    private static string PathIn(string folder) => Path.Combine(folder, "id");
}
