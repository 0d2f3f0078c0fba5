using System.IO.Compression;
using Xunit;

namespace ThreatFeeds.Tests.Support;

/// <summary>Real feeds, logs and truths that stand beside the repository.</summary>
internal static class SharedData
{
    public static string RepositoryRoot { get; } = FindRoot();

    public static string Root { get; } = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "data"));

    public static bool Missing => !Directory.Exists(Root) && Environment.GetEnvironmentVariable("CI") != "true";

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>The file's bytes; <c>.gz</c> files are unpacked.</summary>
    public static byte[] Read(string relative)
    {
        byte[] bytes = File.ReadAllBytes(PathOf(relative));
        if (!relative.EndsWith(".gz", StringComparison.Ordinal))
        {
            return bytes;
        }
        using var unzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var to = new MemoryStream();
        unzip.CopyTo(to);
        return to.ToArray();
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ThreatFeeds.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("ThreatFeeds.sln was not found above the test assembly.");
        }
        return folder;
    }
}

/// <summary>Needs the shared data; skipped where they are absent, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute() => Skip = SharedData.Missing ? "The shared data are not beside the repository." : null;
}

/// <summary>Needs the shared data; skipped where they are absent, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute() => Skip = SharedData.Missing ? "The shared data are not beside the repository." : null;
}
