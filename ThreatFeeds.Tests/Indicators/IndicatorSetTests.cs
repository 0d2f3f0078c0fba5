using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Indicators;

public sealed class IndicatorSetTests
{
    [Fact]
    public void A_set_is_sorted_by_bytes_without_repeats_and_finds_its_entries()
    {
        for (int seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            string[] names = RandomNames(random, random.Next(0, 400));
            IndicatorSet set = Sets.Of(["zz.example", .. names]);
            string[] expected = [.. names.Append("zz.example").Distinct().Order(StringComparer.Ordinal)];
            Assert.Equal(expected, Enumerable.Range(0, set.Count).Select(set.Text));
            foreach (string name in RandomNames(random, 50).Concat(expected))
            {
                Assert.Equal(expected.Contains(name), set.Contains(Encoding.ASCII.GetBytes(name)));
            }
        }
    }

    [Fact]
    public void A_difference_says_what_came_and_how_many_went_and_which_when_they_are_few()
    {
        for (int seed = 1; seed <= 200; seed++)
        {
            var random = new Random(seed);
            string[] before = ["m.example", .. RandomNames(random, random.Next(0, 60))], after = ["m.example", .. RandomNames(random, random.Next(0, 60))];
            string[] gone = [.. before.Except(after).Order(StringComparer.Ordinal)];
            long keep = random.Next(60);
            IndicatorSetDifference difference = IndicatorSetDifference.Compare(Sets.Of(before), Sets.Of(after), keep);
            Assert.Equal(after.Except(before).Order(StringComparer.Ordinal), Texts(difference.Added));
            Assert.Equal(gone.Length, difference.RemovedCount);
            Assert.Equal(gone.Length <= keep ? gone : null, difference.Removed is { } removed ? Texts(removed) : null);
        }
    }

    [Fact]
    public void A_change_of_content_replaces_everything()
    {
        IndicatorSet names = Sets.Of("a.example", "b.example"), addresses = Sets.Of("192.0.2.1");
        IndicatorSetDifference difference = IndicatorSetDifference.Compare(names, addresses, 2);
        Assert.Equal(1, difference.Added.Count);
        Assert.Equal(2, difference.RemovedCount);
        Assert.Null(difference.Removed);
    }

    private static IEnumerable<string> Texts(IndicatorSet set) => Enumerable.Range(0, set.Count).Select(set.Text);

    [Theory]
    [InlineData(ContentKind.IPSet, "192.0.2.7/24", "192.0.2.0/24")]
    [InlineData(ContentKind.IPSet, "192.0.2.7/32", "192.0.2.7")]
    [InlineData(ContentKind.IPSet, " 2001:DB8::1 ", "2001:db8::1")]
    [InlineData(ContentKind.IPSet, "::ffff:1.2.3.0/120", "1.2.3.0/24")]
    [InlineData(ContentKind.DomainNameSet, ".Bad.Example.", "*.bad.example")]
    [InlineData(ContentKind.DomainNameSet, "bücher.example", "xn--bcher-kva.example")]
    [InlineData(ContentKind.IPSet, "bad.example", null)]
    [InlineData(ContentKind.DomainNameSet, "192.0.2.1", null)]
    public void Text_becomes_an_entry_and_text_again(ContentKind content, string text, string? expected)
    {
        bool ok = IndicatorText.TryEncode(content, text, out byte[] encoded);
        Assert.Equal(expected, ok ? IndicatorText.Decode(encoded) : null);
    }

    private static string[] RandomNames(Random random, int count)
    {
        string[] starts = ["", "a-long-common-beginning.", "a-long-common-beginning-of-names.and-more.", "*.", "www."];
        return [.. Enumerable.Range(0, count).Select(_ => starts[random.Next(starts.Length)] + (char)('a' + random.Next(4)) + random.Next(50) + ".example")];
    }
}
