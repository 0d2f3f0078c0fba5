using ThreatFeeds.Indicators;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Sets;

public sealed class SetGuardTests
{
    private const string Origin = "https://lists.example/a";
    private static readonly string Digest = new('a', 64);

    [Theory]
    [InlineData(100, 50, null)]
    [InlineData(100, 49, "The list shrank from 100 to 49 indicators.")]
    [InlineData(99, 1, null)]
    [InlineData(1_000_000, 499_999, "The list shrank from 1,000,000 to 499,999 indicators.")]
    public void A_set_of_a_hundred_or_more_may_not_shrink_below_half(int before, int now, string? reason) =>
        Expect(reason, SetGuard.Judge(Feed(), Parsed(now), Current(before), Digest, Origin));

    [Fact]
    public void A_set_of_another_address_or_format_is_not_compared() =>
        Assert.Null(SetGuard.Judge(Feed(), Parsed(1), Current(1000), Digest, "https://lists.example/b"));

    [Theory]
    [InlineData(10, 10, null)]
    [InlineData(10, 11, "More than half of the entries were refused (11 of 21).")]
    public void More_refused_than_accepted_keeps_the_set_out(int accepted, int refused, string? reason) =>
        Expect(reason, SetGuard.Judge(Feed(), Parsed(accepted, refused), null, Digest, Origin));

    [Theory]
    [InlineData(FeedAnnotations.Accept, "aaaaaaaaaaaaaaaa", true)]
    [InlineData(FeedAnnotations.Accept, "bbbbbbbbbbbbbbbb", false)]
    [InlineData(FeedAnnotations.Accept, "aaaa", false)]
    [InlineData(FeedAnnotations.MinShare, "0.1", true)]
    [InlineData(FeedAnnotations.MinShare, "0.3", false)]
    public void An_annotation_accepts_one_body_or_a_lasting_share(string annotation, string value, bool accepted) =>
        Assert.Equal(accepted, SetGuard.Judge(Feed((annotation, value)), Parsed(20), Current(100), Digest, Origin) is null);

    [Fact]
    public void Nothing_accepts_a_body_without_an_indicator()
    {
        ParseResult html = Parsed(0) with { Unusable = "The body is an HTML page" };

        Assert.StartsWith("The body is an HTML page.", SetGuard.Judge(Feed((FeedAnnotations.Accept, Digest)), html, Current(10), Digest, Origin), StringComparison.Ordinal);
        Assert.NotNull(SetGuard.Judge(Feed((FeedAnnotations.Accept, Digest)), Parsed(0), Current(10), Digest, Origin));
    }

    [Fact]
    public void The_reason_says_what_is_searched_meanwhile_and_how_to_accept()
    {
        string reason = SetGuard.Judge(Feed(), Parsed(20), Current(100), Digest, Origin)!;

        Assert.Contains("The last good set of 100 indicators is still searched for.", reason, StringComparison.Ordinal);
        Assert.Contains("threatfeeds.io/accept: aaaaaaaaaaaaaaaa", reason, StringComparison.Ordinal);
    }

    private static void Expect(string? start, string? reason)
    {
        if (start is null)
        {
            Assert.Null(reason);
        }
        else
        {
            Assert.StartsWith(start, reason, StringComparison.Ordinal);
        }
    }

    private static StoredSetRow Current(int count) => new() { Content = ContentKind.DomainNameSet, Count = count, Digest = new string('0', 64), Origin = Origin };

    private static Feed Feed(params (string Key, string Value)[] annotations) => new(
        "one", Guid.NewGuid(), 1, new FeedSpec(ContentKind.DomainNameSet, true, null, false, null, null),
        new Dictionary<string, string>(), annotations.ToDictionary(a => a.Key, a => a.Value));

    private static ParseResult Parsed(int accepted, int refused = 0)
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        for (int i = 0; i < accepted; i++)
        {
            builder.Add(System.Text.Encoding.ASCII.GetBytes($"n{i}.example"));
        }
        return new ParseResult { Set = builder.Build(), AcceptedEntries = accepted, RefusedCount = refused };
    }
}
