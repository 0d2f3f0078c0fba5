using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

public sealed class GoDurationTests
{
    [SharedDataFact]
    public void Durations_are_read_as_Go_reads_them()
    {
        JsonArray vectors = JsonNode.Parse(SharedData.Read("vectors/go/duration.json"))!.AsArray();
        Assert.NotEmpty(vectors);
        var wrong = new List<string>();
        foreach (JsonNode? vector in vectors)
        {
            string text = vector!["in"]!.GetValue<string>();
            bool ok = GoDuration.TryParse(text, out long nanoseconds, out string? problem);
            if (ok != vector["ok"]!.GetValue<bool>() || (ok && nanoseconds != vector["ns"]!.GetValue<long>()))
            {
                wrong.Add($"{text}: {ok} {nanoseconds} {problem}");
            }
            else if (!ok && text.All(char.IsAscii))
            {
                Assert.Equal(vector["error"]!.GetValue<string>(), $"time: {problem}");
            }
        }
        Assert.Empty(wrong);
    }
}
