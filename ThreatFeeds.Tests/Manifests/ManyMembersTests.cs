using System.Globalization;
using System.Text;
using ThreatFeeds.Manifests;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

/// <summary>A manifest of 1 MiB full of members costs what its length does, wherever they stand and whatever is wrong with them.</summary>
public sealed class ManyMembersTests
{
    /// <summary>About 1 MiB of short keys. When members cost the square of their number, this takes minutes.</summary>
    private const int Members = 90_000;

    /// <summary>Hundreds of times what it takes alone on one core, and far less than the square would.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly FeedReader _reader = new(_ => null);

    [Theory]
    [InlineData("{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\"},\"spec\":{*}}", Members)]
    [InlineData("{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\",*},\"spec\":{}}", Members)]
    [InlineData("{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\"},\"spec\":{},*}", Members)]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\nmetadata: {name: a}\nspec: {*}", Members)]
    public void Unknown_members_cost_what_their_number_does(string manifest, int members)
    {
        FeedReading reading = Within(() => _reader.Read(ManifestText.Read(With(manifest, i => $"\"k{i}\":1", members))));
        Assert.Empty(reading.Problems);
        Assert.Equal((Told<string>.Most, members - Told<string>.Most), (reading.UnknownFields.Count, reading.UnknownFields.More));
        Assert.Empty(reading.Manifest!.Spec);
    }

    [Theory]
    [InlineData("labels")]
    [InlineData("annotations")]
    public void Labels_of_the_wrong_type_and_with_bad_names_cost_what_their_number_does(string map)
    {
        string manifest = "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\",\"" + map + "\":{*}},\"spec\":{}}";
        FeedReading reading = Within(() => _reader.Read(ManifestText.Read(With(manifest, i => i % 2 == 0 ? $"\"k{i}\":1" : $"\"-{i}\":\"\"", Members / 2))));
        Assert.Null(reading.Manifest);
        Assert.Equal((101, "44,900 more problems"), (reading.Problems.Count, reading.Problems[^1].Message));
    }

    [Fact]
    public void Members_that_a_patch_takes_away_cost_what_their_number_does()
    {
        var target = new System.Text.Json.Nodes.JsonObject();
        var patch = new System.Text.Json.Nodes.JsonObject();
        for (int i = 0; i < Members; i++)
        {
            target[$"k{i}"] = 1;
            patch[$"k{i}"] = null;
        }
        Assert.Empty(Within(() => MergePatch.Apply(target, patch)).AsObject());
    }

    private static byte[] With(string manifest, Func<int, string> member, int members) =>
        Encoding.UTF8.GetBytes(manifest.Replace("*", string.Join(',', Enumerable.Range(0, members).Select(member)), StringComparison.Ordinal));

    private static T Within<T>(Func<T> act)
    {
        long start = TimeProvider.System.GetTimestamp();
        T result = act();
        TimeSpan took = TimeProvider.System.GetElapsedTime(start);
        Assert.True(took < Bound, string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds:0.0} s"));
        return result;
    }
}
