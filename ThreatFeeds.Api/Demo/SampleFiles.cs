using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace ThreatFeeds.Api.Demo;

/// <summary>The samples that are copied beside the executable.</summary>
internal static class SampleFiles
{
    /// <summary>Sample records end within this long before now.</summary>
    private static readonly TimeSpan Spread = TimeSpan.FromHours(6);

    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "samples");

    /// <summary>The sample feeds' manifests, their addresses turned to <paramref name="self"/>.</summary>
    public static IEnumerable<JsonObject> Manifests(Uri self)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Root, "manifests"), "*.json").Order(StringComparer.Ordinal))
        {
            JsonObject manifest = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            if (manifest["spec"]?["pull"]?["http"] is JsonObject http)
            {
                http["url"] = new Uri(self, new Uri(http["url"]!.GetValue<string>()).AbsolutePath).AbsoluteUri;
            }
            yield return manifest;
        }
    }

    /// <summary>The lines of a sample log with their times moved so that the last ends now.</summary>
    public static async Task<IReadOnlyList<ReadOnlyMemory<byte>>> LogAsync(string name, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var records = new List<JsonObject>();
        await using FileStream file = File.OpenRead(Path.Combine(Root, "logs", name));
        await using var unzip = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new StreamReader(unzip, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellationToken) is string line)
        {
            records.Add(JsonNode.Parse(line)!.AsObject());
        }
        return [.. records.Select((r, i) => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(Move(r, now - Spread * ((records.Count - 1 - i) / (double)records.Count)).ToJsonString()))];
    }

    private static JsonObject Move(JsonObject record, DateTimeOffset end)
    {
        long start = Seconds(record["start_time"]);
        long length = Math.Max(0, Seconds(record["end_time"]) - start);
        record["end_time"] = end.ToUnixTimeSeconds();
        record["start_time"] = end.ToUnixTimeSeconds() - length;
        return record;
    }

    private static long Seconds(JsonNode? time) => time is null ? 0 : (long)double.Parse(time.ToString(), CultureInfo.InvariantCulture);
}
