using ThreatFeeds.Manifests;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

public sealed class HeaderOwnerTests
{
    [Theory]
    [InlineData("globalthreatfeed-a-b-token", "a-b,a")]
    [InlineData("globalthreatfeed-a-token", "a")]
    [InlineData("globalthreatfeed-a.b-c-d.e", "a.b-c,a.b")]
    [InlineData("globalthreatfeed-a", "")]
    [InlineData("globalthreatfeed-a-", "")]
    [InlineData("globalthreatfeed--a", "")]
    [InlineData("globalthreatfeed-", "")]
    [InlineData("other-a-b", "")]
    public void A_name_may_belong_to_each_feed_that_it_goes_on_from_the_longest_first(string name, string feeds) =>
        Assert.Equal(feeds, string.Join(',', HeaderOwner.Candidates(name)));

    [Theory]
    [InlineData("a", "globalthreatfeed-a-b-token", "a-b")]
    [InlineData("a-b", "globalthreatfeed-a-token", "a")]
    [InlineData("a", "other", null)]
    public void A_refusal_names_a_name_that_would_be_the_feeds_own_whatever_other_feeds_there_are(string feed, string name, string? owner)
    {
        string refusal = HeaderOwner.Refusal(feed, name, owner)!;
        string right = refusal.Split(" is named like ")[1].Split(':')[0];
        Assert.Contains(owner ?? "no feed", refusal, StringComparison.Ordinal);
        Assert.Equal(feed, HeaderOwner.Candidates(right)[0]);
    }

    [Fact]
    public void A_feed_may_take_what_is_its_own() => Assert.Null(HeaderOwner.Refusal("a", "globalthreatfeed-a-token", "a"));

    [Theory]
    [InlineData("https://a.example/x", "https://A.example:443/y", true)]
    [InlineData("http://a.example/", "https://a.example/", false)]
    [InlineData("http://a.example:8080/", "https://a.example:8080/", false)]
    [InlineData("https://a.example/", "https://a.example:8443/", false)]
    [InlineData("https://a.example/", "https://b.a.example/", false)]
    [InlineData("https://b\u00fccher.example/", "https://xn--bcher-kva.example/", true)]
    [InlineData("http://[::1]/", "http://[0:0::1]:80/", true)]
    public void One_server_is_one_scheme_host_and_port(string one, string other, bool same) =>
        Assert.Equal(same, FeedOrigin.IsSameServer(new Uri(one), new Uri(other)));
}
