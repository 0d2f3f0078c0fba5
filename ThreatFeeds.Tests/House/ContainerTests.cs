using System.Text.RegularExpressions;
using Xunit;

namespace ThreatFeeds.Tests.House;

/// <summary>What the container files promise.</summary>
public sealed class ContainerTests
{
    [Fact]
    public void The_image_does_not_open_itself_and_what_opens_it_publishes_on_loopback_only()
    {
        Assert.DoesNotMatch(@"(?m)^(ENV|ARG)\b.*AllowOpen", Sources.Read("Dockerfile"));
        string compose = Sources.Read("docker-compose.yml");
        Assert.Contains("Http__AllowOpen: \"true\"", compose, StringComparison.Ordinal);
        Assert.Equal("127.0.0.1:5080:5080", Regex.Match(compose, @"ports:\s*- ""([^""]*)""").Groups[1].Value);
    }

    [Fact]
    public void Images_are_named_by_their_exact_version()
    {
        string[] images = [.. Regex.Matches(Sources.Read("Dockerfile"), @"(?m)^FROM (\S+)").Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(images);
        Assert.All(images, i => Assert.Matches(@":\d+\.\d+\.\d+(-\w+)?$|@sha256:[0-9a-f]{64}$", i));
    }
}
