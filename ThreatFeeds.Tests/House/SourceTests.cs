using System.Text.RegularExpressions;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>What every source file keeps to.</summary>
public sealed class SourceTests
{
    private const int MostLines = 300;
    private const string NamesThatSayNothing = "Helper|Helpers|Utils|Utility|Utilities|Common|Services|Manager|Managers";

    [Fact]
    public void No_written_file_is_longer_than_a_reader_can_hold() =>
        Assert.Empty(Sources.Written.Where(f => f.Lines > MostLines).Select(f => $"{f.Path}: {f.Lines} lines"));

    [Theory]
    [InlineData("ThreatFeeds.Core")]
    [InlineData("ThreatFeeds.Api")]
    [InlineData("ThreatFeeds.Web")]
    [InlineData("ThreatFeeds.Tests")]
    [InlineData("ThreatFeeds.Benchmarks")]
    public void The_sources_that_the_other_rules_read_are_there(string project) =>
        Assert.True(Sources.In(project).Any() && Sources.In(project).All(f => f.Text.Length > 0), $"{project} has {Sources.In(project).Count()} sources");

    [Fact]
    public void Product_code_has_no_unwritten_part() =>
        Assert.Empty(Sources.Product.Where(f => f.Text.Contains("NotImplemented" + "Exception", StringComparison.Ordinal)).Select(f => f.Path));

    [Fact]
    public void No_file_folder_or_type_has_a_name_that_says_nothing()
    {
        IEnumerable<string> places = Sources.Written.Where(f => Regex.IsMatch(f.Path, $@"(^|[/.]|[a-z])({NamesThatSayNothing})(/|\.(cs|razor)$|\.)")).Select(f => f.Path);
        IEnumerable<string> types = Sources.Written.SelectMany(f => Regex.Matches(f.Text, $@"^\s*(?:\w+ )*(?:class|record|struct|interface|enum) (\w*(?:{NamesThatSayNothing}))\b", RegexOptions.Multiline)
            .Select(m => $"{f.Path}: {m.Groups[1].Value}"));
        Assert.Empty(places.Concat(types));
    }

    [Fact]
    public void Work_left_over_stands_in_the_tracker_and_not_in_the_sources() =>
        Assert.Empty(Sources.Written.Where(f => Regex.IsMatch(f.Text, @"\b(" + "TO" + "DO|FIX" + @"ME)\b|\b[Ii]ssue #?\d+|(?<=//.*)\s#\d+\b")).Select(f => f.Path));

    [Fact]
    public void Asynchronous_methods_of_ours_end_in_Async()
    {
        // Names of tests are sentences; the frameworks name the rest.
        string[] givenByFrameworks = ["Execute", "Main", "RunAsync"];
        IEnumerable<string> wrong = from file in Sources.Product
                                    where file.Path.EndsWith(".cs", StringComparison.Ordinal)
                                    from Match method in Regex.Matches(file.Text, @"^\s*(?:public|internal|private|protected) (?:\w+ )*async (?:Task|ValueTask)(?:<[^(]*>)? (\w+)\s*[(<]", RegexOptions.Multiline)
                                    let name = method.Groups[1].Value
                                    where !name.EndsWith("Async", StringComparison.Ordinal) && !givenByFrameworks.Contains(name)
                                    select $"{file.Path}: {name}";
        Assert.Empty(wrong);
    }
}
