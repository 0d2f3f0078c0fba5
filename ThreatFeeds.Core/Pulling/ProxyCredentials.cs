using System.Text;

namespace ThreatFeeds.Pulling;

/// <summary>The file of Pulling:ProxyCredentialsFile: <c>user:password</c> in one line (RFC 7617). Read anew for every connection, so that it may change. What it holds stands in no message.</summary>
internal static class ProxyCredentials
{
    private const int MaxBytes = 4096;

    /// <summary>What is wrong with the file; null when it can be used.</summary>
    public static string? Problem(string file) => Read(file).Problem;

    /// <summary>The value of Proxy-Authorization; <see cref="FetchException"/> when the file cannot be used any more.</summary>
    public static string Authorization(string file)
    {
        (string? line, string? problem) = Read(file);
        return line is null
            ? throw new FetchException($"The file of Pulling:ProxyCredentialsFile {problem}.")
            : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(line));
    }

    private static (string? Line, string? Problem) Read(string file)
    {
        try
        {
            return ReadLine(file) is { } line ? (line, null) : (null, "does not hold one line 'user:password'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, File.Exists(file) ? "cannot be read" : "does not exist");
        }
    }

    private static string? ReadLine(string file)
    {
        using FileStream stream = File.OpenRead(file);
        byte[] bytes = new byte[MaxBytes + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        string line = Encoding.UTF8.GetString(bytes, 0, length).TrimStart('\uFEFF').TrimEnd('\r', '\n');
        return length <= MaxBytes && line.IndexOf(':', StringComparison.Ordinal) > 0 && !line.Any(char.IsControl) ? line : null;
    }
}
