using System.Text;
using System.Text.Json;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

/// <summary>How many real records hold a listed name in which field, against figures counted by other means.</summary>
public sealed class CalicoTruthTests
{
    private const string Log = "logs/calico/derived-dns-wrccdc.jsonl.gz";

    [SharedDataTheory]
    [InlineData("feeds/hosts/stevenblack-unified-hosts.gz")]
    [InlineData("feeds/allow/misp-cisco_top20k.json.gz $.list")]
    public void Listed_names_are_found_in_each_field(string feed)
    {
        using JsonDocument truth = JsonDocument.Parse(SharedData.Read("truth/calico-matches.json"));
        JsonElement expected = truth.RootElement.GetProperty("pairs").EnumerateArray()
            .Single(p => p.GetProperty("log").GetString() == Log && p.GetProperty("feed").GetString() == feed);
        var sink = new Counter(Names(feed));
        var counts = new Dictionary<string, int> { ["qname"] = 0, ["rr_name"] = 0, ["rdata"] = 0, ["any"] = 0 };
        var reader = new CalicoReader();
        foreach (string line in Encoding.UTF8.GetString(SharedData.Read(Log)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            sink.Fields.Clear();
            reader.ReadValues(LogKind.Dns, Encoding.UTF8.GetBytes(line), sink);
            counts["any"] += sink.Fields.Count > 0 ? 1 : 0;
            foreach (string field in sink.Fields)
            {
                counts[field]++;
            }
        }
        int Expected(string key) => expected.GetProperty(key).GetInt32();
        Assert.Equal(
            (Expected("qname"), Expected("rrsets_name"), Expected("rrsets_rdata"), Expected("any")),
            (counts["qname"], counts["rr_name"], counts["rdata"], counts["any"]));
    }

    private static HashSet<string> Names(string feed)
    {
        if (feed.EndsWith(" $.list", StringComparison.Ordinal))
        {
            using JsonDocument list = JsonDocument.Parse(SharedData.Read(feed.Split(' ')[0]));
            return [.. list.RootElement.GetProperty("list").EnumerateArray().Select(n => Plain(n.GetString()!))];
        }
        return [.. Encoding.UTF8.GetString(SharedData.Read(feed)).Split('\n')
            .Select(l => l.Split('#')[0].Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(w => w is ["0.0.0.0", not "0.0.0.0"])
            .Select(w => Plain(w[1]))];
    }

#pragma warning disable CA1308 // Names of hosts are written in lower case.
    private static string Plain(string name) => name.ToLowerInvariant().TrimEnd('.');
#pragma warning restore CA1308

    private sealed class Counter(HashSet<string> names) : IValueSink
    {
        public HashSet<string> Fields { get; } = [];

        public void Name(HitField field, ReadOnlySpan<byte> name)
        {
            string text = Encoding.UTF8.GetString(name);
            if (names.Contains(Plain(text)))
            {
                Fields.Add(Word.Of(field));
            }
        }

        public void Address(HitField field, ReadOnlySpan<byte> address) => Assert.Fail("DNS records have no addresses to search.");
    }
}
