using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThreatFeeds.Api.Demo;

/// <summary>The files of <c>samples/feeds</c>: five lists in five formats, made of word lists, the same each time. What the story needs stands among them.</summary>
internal static class SampleFeeds
{
    private static readonly string[] First =
        ["amber", "brisk", "cinder", "dapper", "ember", "fable", "glint", "hollow", "ivory", "jolly", "kindred", "lunar", "mellow", "nimble", "opal", "pebble", "quaint", "rustic", "silver", "tidal"];

    private static readonly string[] Second =
        ["anchor", "basket", "canyon", "delta", "engine", "forest", "garden", "harvest", "island", "jigsaw", "kernel", "lantern", "meadow", "nebula", "orchard", "pigeon", "quarry", "ribbon", "summit", "timber"];

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    private static readonly string[] Zones = ["example", "test", "invalid"];

    /// <summary>File names and contents.</summary>
    public static IReadOnlyDictionary<string, string> Files { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["botnet-addresses.csv"] = BotnetAddresses(),
        ["command-servers.txt"] = CommandServers(),
        ["phishing.json"] = Phishing(),
        ["scanners.netset"] = Scanners(),
        ["trackers.hosts"] = Trackers(),
    };

    private static string CommandServers() =>
        $"""
        # Command servers and the names that carry data out. Made up; see samples/README.md.

        # builds
        {SampleStory.CommandServer}
        # tunnels
        {SampleStory.Tunnel}
        # others
        {string.Join('\n', Names(1, 140, ""))}

        """;

    private static string BotnetAddresses()
    {
        var text = new StringBuilder("address;first_seen;family\n");
        string[] families = ["kite", "marble", "thistle"];
        IEnumerable<string> addresses = Enumerable.Range(0, 56).Select(i => $"203.0.113.{(i * 37 % 200) + 1}").Append(SampleStory.CommandAddress)
            .Append("2001:db8:66::1f").Append("2001:db8:66:40::/60").Distinct().Order(StringComparer.Ordinal);
        int row = 0;
        foreach (string address in addresses)
        {
            text.Append(CultureInfo.InvariantCulture, $"{address};2026-{(row % 9) + 1:00}-{(row * 7 % 28) + 1:00};{families[row++ % families.Length]}\n");
        }
        return text.ToString();
    }

    private static string Phishing() => JsonSerializer.Serialize(
        new { allow = Names(2, 12, "www."), deny = Names(3, 160, "login.").Append(SampleStory.Phishing).Append(SampleStory.NewPhishing).Order(StringComparer.Ordinal) },
        s_indented) + "\n";

    private static string Scanners() =>
        "# Networks that scan everything. Made up; see samples/README.md.\n198.51.100.0/27\n198.51.100.64/28\n198.51.100.96 - 198.51.100.103\n198.51.100.200\n198.51.100.217\n2001:db8:5ca:1::/64\n2001:db8:5ca:2::/64\n";

    private static string Trackers()
    {
        var text = new StringBuilder("# Advertising and tracking hosts, as a hosts file. Made up; see samples/README.md.\n127.0.0.1 localhost\n");
        foreach (string name in Names(4, 240, "ads.").Append(SampleStory.FalseAlarm).Append(SampleStory.Alias).Order(StringComparer.Ordinal))
        {
            text.Append("0.0.0.0 ").Append(name).Append('\n');
        }
        return text.ToString();
    }

    private static IEnumerable<string> Names(int seed, int count, string prefix) =>
        Enumerable.Range(0, count).Select(i => (i * 7) + (seed * 41)).Select(i => $"{prefix}{First[i % First.Length]}-{Second[i / First.Length % Second.Length]}.{Zones[i % Zones.Length]}").Distinct();
}
