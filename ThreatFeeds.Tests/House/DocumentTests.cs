using System.Text.RegularExpressions;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>Prose that a test checks does not rot.</summary>
public sealed class DocumentTests
{
    /// <summary>Folders of tests that are named in the map, because they mirror no room.</summary>
    private static readonly string[] OwnFolders = ["ApiFeeds", "EndToEnd", "House", "Ports", "Support", "Web"];

    [Theory]
    [InlineData("ThreatFeeds.Core")]
    [InlineData("ThreatFeeds.Api")]
    [InlineData("ThreatFeeds.Web")]
    public void The_map_has_a_row_for_every_room_and_for_no_other(string project)
    {
        IEnumerable<string> rows = Regex.Matches(Sources.Read("docs/map.md"), $@"^\| `{project}/(\w+)/` \|", RegexOptions.Multiline).Select(m => m.Groups[1].Value);
        Assert.Equal(Sources.Rooms(project), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Folders_of_tests_mirror_a_room_or_stand_in_the_map()
    {
        string map = Sources.Read("docs/map.md");
        HashSet<string> rooms = [.. new[] { "ThreatFeeds.Core", "ThreatFeeds.Api", "ThreatFeeds.Web" }.SelectMany(Sources.Rooms)];
        string[] others = [.. Sources.Rooms("ThreatFeeds.Tests").Where(f => !rooms.Contains(f))];
        Assert.Equal(OwnFolders.Where(f => !rooms.Contains(f)), others);
        Assert.Empty(others.Where(f => !map.Contains($"`ThreatFeeds.Tests/{f}/`", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_source_cites_a_document_that_is_not_in_the_repository()
    {
        // Built so that this file does not find itself.
        string elsewhere = @"\b" + "design" + @"(?:\.md| §|,? ""|: |\))|\boriginal" + @"\.md|\b(?:the|by the) " + "design" + @"\b(?!-)|§\s?\d";
        IEnumerable<string> elsewheres = Sources.Written.SelectMany(f => Regex.Matches(f.Text, elsewhere).Select(m => $"{f.Path}: {m.Value}"));
        IEnumerable<string> absent = Sources.Written.Where(f => !f.Path.StartsWith("ThreatFeeds.Tests/", StringComparison.Ordinal))
            .SelectMany(f => Regex.Matches(f.Text, @"\b(?:docs|samples)/[\w./-]*\w\.\w+").Select(m => m.Value).Where(p => !Sources.Exists(p)).Select(p => $"{f.Path}: {p}"));
        Assert.Empty(elsewheres.Concat(absent));
    }

    [Theory]
    [InlineData("docs/map.md")]
    [InlineData("docs/operations.md")]
    [InlineData("docs/security.md")]
    [InlineData("docs/protocol.md")]
    [InlineData("docs/performance.md")]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    public void Every_path_a_document_names_exists(string document)
    {
        string text = Sources.Read(document);
        IEnumerable<string> quoted = Regex.Matches(text, @"`((?:ThreatFeeds\.\w+|docs|samples|\.ci)/[\w./-]*)`").Select(m => m.Groups[1].Value);
        string folder = Path.GetDirectoryName(document) ?? "";
        IEnumerable<string> linked = Regex.Matches(text, @"\]\(([^)#:\s]+)(?:#[^)]*)?\)").Select(m => Path.Combine(folder, m.Groups[1].Value));
        Assert.NotEmpty(quoted.Concat(linked));
        Assert.Empty(quoted.Concat(linked).Where(p => !Sources.Exists(p)));
    }

    [Fact]
    public void Every_sample_is_described()
    {
        string text = Sources.Read("samples/README.md");
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Sources.Root, "samples"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Path.Combine(Sources.Root, "samples"), f).Replace('\\', '/'))
            .Where(f => f.StartsWith("feeds/", StringComparison.Ordinal) || f.StartsWith("logs/", StringComparison.Ordinal))];
        Assert.True(files.Length > 5, "the samples were not found");
        Assert.Empty(files.Where(f => !text.Contains($"`{f}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_promise_of_the_security_page_names_tests_that_are_there()
    {
        string[] rows = [.. Sources.Read("docs/security.md").Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| promise", StringComparison.Ordinal))];
        Assert.True(rows.Length > 20, "the table was not found");
        Assert.Empty(rows.Where(r => !Regex.IsMatch(r, @"`\w+Tests`")));
        HashSet<string> there = [.. Directory.EnumerateFiles(Path.Combine(Sources.Root, "ThreatFeeds.Tests"), "*Tests.cs", SearchOption.AllDirectories).Select(f => Path.GetFileNameWithoutExtension(f))];
        Assert.Empty(rows.SelectMany(r => Regex.Matches(r, @"`(\w+Tests)`")).Select(m => m.Groups[1].Value).Where(t => !there.Contains(t)));
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
