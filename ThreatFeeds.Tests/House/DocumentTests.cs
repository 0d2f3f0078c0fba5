using System.Text.RegularExpressions;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Prose that a test checks does not rot.</summary>
public sealed class DocumentTests
{
    [Fact]
    public void The_map_names_every_room()
    {
        string map = Sources.Read("docs/map.md");
        IEnumerable<string> rooms = new[] { "ThreatFeeds.Core", "ThreatFeeds.Api", "ThreatFeeds.Web", "ThreatFeeds.Tests" }
            .SelectMany(project => Sources.Rooms(project).Select(room => project == "ThreatFeeds.Tests" ? null : $"`{project}/{room}/`")).OfType<string>();
        Assert.Empty(rooms.Where(r => !map.Contains(r, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("docs/map.md")]
    [InlineData("docs/operations.md")]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    public void Every_path_a_document_names_exists(string document)
    {
        string text = Sources.Read(document);
        IEnumerable<string> quoted = Regex.Matches(text, @"`((?:ThreatFeeds\.\w+|docs|samples|\.ci)/[\w./-]*)`").Select(m => m.Groups[1].Value);
        string folder = Path.GetDirectoryName(document) ?? "";
        IEnumerable<string> linked = Regex.Matches(text, @"\]\(([^)#:\s]+)(?:#[^)]*)?\)").Select(m => Path.Combine(folder, m.Groups[1].Value));
        Assert.Empty(quoted.Concat(linked).Where(p => !Sources.Exists(p)));
    }

    [Fact]
    public void Every_sample_has_its_origin_and_licence_stated()
    {
        string[] rows = Sources.Read("samples/README.md").Split('\n');
        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(Sources.Root, "samples"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Path.Combine(Sources.Root, "samples"), f).Replace('\\', '/'))
            .Where(f => f.StartsWith("feeds/", StringComparison.Ordinal) || f.StartsWith("logs/", StringComparison.Ordinal));
        Assert.Empty(files.Where(f => !rows.Any(r => r.Contains($"`{f}`", StringComparison.Ordinal) && Regex.IsMatch(r, "MIT|Apache-2.0|CC-BY-4.0|Unlicense"))));
    }

    [Fact]
    public void Samples_stay_small() =>
        Assert.InRange(new DirectoryInfo(Path.Combine(Sources.Root, "samples")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length), 1, 300_000);

    [Fact]
    public void Decisions_are_numbered_without_gaps()
    {
        string[] numbers = [.. Directory.GetFiles(Path.Combine(Sources.Root, "docs", "decisions"), "*.md").Select(f => Path.GetFileName(f)[..4]).Order(StringComparer.Ordinal)];
        Assert.Equal(Enumerable.Range(1, numbers.Length).Select(n => n.ToString("0000", System.Globalization.CultureInfo.InvariantCulture)), numbers);
    }
}
