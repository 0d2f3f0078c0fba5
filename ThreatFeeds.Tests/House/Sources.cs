using System.Text.RegularExpressions;
using ThreatFeeds.Tests.Support;

namespace ThreatFeeds.Tests.House;

/// <summary>A source file of the repository.</summary>
/// <param name="Path">Relative to the root, with slashes.</param>
internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>The room or folder below the project; empty at the project's top.</summary>
    public string Room => Path.Split('/') is [_, string room, _, ..] ? room : "";

    public int Lines => Text.AsSpan().Count('\n');

    /// <summary>The namespaces of ours that it uses, by directive or by full name.</summary>
    public IEnumerable<string> Uses => Regex.Matches(Text, @"^\s*(?:global\s+)?@?using\s+(?:static\s+)?(?:\w+\s*=\s*)?(ThreatFeeds(?:\.\w+)*)", RegexOptions.Multiline)
        .Select(m => m.Groups[1].Value).Distinct();
}

/// <summary>The repository as it stands on disk, without what builds leave behind.</summary>
internal static class Sources
{
    private static readonly string[] Projects = ["ThreatFeeds.Core", "ThreatFeeds.Api", "ThreatFeeds.Web", "ThreatFeeds.Tests", "ThreatFeeds.Benchmarks"];

    public static string Root => SharedData.RepositoryRoot;

    public static IReadOnlyList<SourceFile> All { get; } = [.. Projects.SelectMany(Of)];

    public static IEnumerable<SourceFile> Product => All.Where(f => !f.Path.StartsWith("ThreatFeeds.Tests/", StringComparison.Ordinal));

    public static IEnumerable<SourceFile> Written => All.Where(f => !IsMigration(f));

    public static bool IsMigration(SourceFile file) =>
        file.Path.StartsWith("ThreatFeeds.Core/Storage/Sqlite/", StringComparison.Ordinal) || file.Path.StartsWith("ThreatFeeds.Core/Storage/Postgres/", StringComparison.Ordinal);

    public static IEnumerable<SourceFile> In(string project) => All.Where(f => f.Path.StartsWith(project + "/", StringComparison.Ordinal));

    public static string Read(string relative) => File.ReadAllText(Path.Combine(Root, relative));

    public static bool Exists(string relative) => Path.Exists(Path.Combine(Root, relative.TrimEnd('/')));

    /// <summary>Folders directly below a project that hold sources.</summary>
    public static IEnumerable<string> Rooms(string project) => In(project).Select(f => f.Room).Where(r => r.Length > 0).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<SourceFile> Of(string project) =>
        Directory.EnumerateFiles(Path.Combine(Root, project), "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".cs" or ".razor")
            .Select(f => new SourceFile(Path.GetRelativePath(Root, f).Replace('\\', '/'), File.ReadAllText(f)))
            .Where(f => !f.Path.Contains("/obj/", StringComparison.Ordinal) && !f.Path.Contains("/bin/", StringComparison.Ordinal));
}
