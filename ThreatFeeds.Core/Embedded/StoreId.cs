using System.Text;

namespace ThreatFeeds.Embedded;

/// <summary>A random id of a folder of records; positions mean nothing in another.</summary>
internal static class StoreId
{
    private const string Title = "threatfeeds store 1 ";

    public static string Of(IDurableFiles files, string folder)
    {
        string path = Path.Combine(folder, "id");
        if (files.Exists(path))
        {
            using IDurableFile file = files.OpenRead(path);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            string text = Encoding.ASCII.GetString(bytes).TrimEnd();
            // The first version was the bare id.
            return Guid.Parse(text.StartsWith(Title, StringComparison.Ordinal) ? text[Title.Length..] : text).ToString("N");
        }
        string id = Guid.NewGuid().ToString("N");
        DurableText.Replace(files, folder, path, $"{Title}{id}\n");
        return id;
    }
}
