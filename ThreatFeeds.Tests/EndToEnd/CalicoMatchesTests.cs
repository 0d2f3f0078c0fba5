using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>
/// Real feeds and real logs through the whole process, against figures counted by other means: half of the feeds are there before the logs
/// (forward search), half come after them (look-back).
/// </summary>
public sealed class CalicoMatchesTests : IAsyncLifetime
{
    private const int LinesPerBody = 200;
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(3);
    private static readonly string[] s_logs =
        ["logs/calico/derived-dns-wrccdc.jsonl.gz", "logs/calico/derived-dns-lab.jsonl.gz", "logs/calico/derived-flows.jsonl.gz"];

    private AppFixture _app = null!;
    private LoopbackServer _foreign = null!;
    private LiveServer _server = null!;

    public async Task InitializeAsync()
    {
        // The records are years old; their alerts must outlive a retention that may run meanwhile.
        _app = await AppFixture.StartAsync("Pulling:AllowedNetworks=127.0.0.0/8", "Alerts:RetentionDays=3650");
        _foreign = await LoopbackServer.StartAsync();
        _server = new LiveServer(_app.Client);
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _foreign.DisposeAsync();
    }

    [SharedDataFact]
    public async Task Every_pair_of_real_feed_and_real_log_gives_the_counted_documents()
    {
        using JsonDocument truth = JsonDocument.Parse(SharedData.Read("truth/calico-matches.json"));
        JsonElement[] pairs = [.. truth.RootElement.GetProperty("pairs").EnumerateArray()];
        string[] feeds = [.. pairs.Select(p => p.GetProperty("feed").GetString()!).Distinct(StringComparer.Ordinal)];
        bool[] ips = [.. feeds.Select(f => pairs.First(p => p.GetProperty("feed").GetString() == f).TryGetProperty("dest_ip", out _))];
        var documents = new Dictionary<string, JsonElement>();

        for (int i = 0; i < feeds.Length; i += 2)
        {
            await CreateAsync(i, feeds[i], ips[i]);
        }
        await _server.WhenIdleAsync(s_longest);
        for (int log = 0; log < s_logs.Length; log++)
        {
            await PostAsync(log, documents);
        }
        for (int i = 1; i < feeds.Length; i += 2)
        {
            await CreateAsync(i, feeds[i], ips[i]);
        }
        await _server.WhenIdleAsync(s_longest);

        List<JsonElement> hits = await _server.AllHitsAsync();
        Assert.Equal(hits.Count, hits.Select(h => h.GetProperty("id").GetString()).Distinct().Count());
        var wrong = new List<string>();
        for (int i = 0; i < feeds.Length; i++)
        {
            ILookup<string, string> found = hits.Where(h => h.GetProperty("feeds").EnumerateArray().Any(f => f.GetString() == $"feed-{i}"))
                .ToLookup(h => h.GetProperty("record").GetProperty("_key").GetString()!, h => h.GetProperty("value").GetString()!);
            for (int log = 0; log < s_logs.Length; log++)
            {
                JsonElement pair = pairs.FirstOrDefault(p => p.GetProperty("feed").GetString() == feeds[i] && p.GetProperty("log").GetString() == s_logs[log]);
                Compare($"{feeds[i]} in {s_logs[log]}", pair, [.. found.Where(d => d.Key.StartsWith($"{log}-", StringComparison.Ordinal))], documents, wrong);
            }
            await CheckFilterAsync($"feed-{i}", found.Sum(d => d.Count()));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static void Compare(string what, JsonElement pair, IGrouping<string, string>[] found, Dictionary<string, JsonElement> documents, List<string> wrong)
    {
        Check("any", found.Length);
        if (pair.ValueKind == JsonValueKind.Undefined)
        {
            return;
        }
        Func<JsonElement, IEnumerable<string>> Field(string field) => field switch
        {
            "rrsets_name" => r => r.GetProperty("rrsets").EnumerateArray().Select(s => s.GetProperty("name").GetString()!),
            "rrsets_rdata" => r => r.GetProperty("rrsets").EnumerateArray().SelectMany(s => s.GetProperty("rdata").EnumerateArray()).Select(d => d.GetString()!),
            _ => r => r.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [],
        };
        foreach (string field in new[] { "qname", "rrsets_name", "rrsets_rdata", "dest_ip", "source_ip" }.Where(f => pair.TryGetProperty(f, out _)))
        {
            Check(field, found.Count(d => Field(field)(documents[d.Key]).Select(Plain).Intersect(d).Any()));
        }
        string[] values = [.. pair.GetProperty("values").EnumerateArray().Select(v => v.GetString()!)];
        bool complete = !values[^1].StartsWith("... ", StringComparison.Ordinal);
        string[] own = [.. found.SelectMany(d => d).Distinct()];
        string[] missing = [.. (complete ? values : values[..^1]).Except(own)];
        int expected = complete ? values.Length : values.Length - 1 + int.Parse(values[^1].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        if (missing.Length > 0 || own.Length != expected)
        {
            wrong.Add($"{what}: {own.Length} values instead of {expected}; missing {string.Join(", ", missing.Take(5))}; beyond {string.Join(", ", complete ? own.Except(values).Take(5) : [])}");
        }

        void Check(string field, int count)
        {
            int documentsOfTruth = pair.ValueKind == JsonValueKind.Undefined ? 0 : pair.GetProperty(field).GetInt32();
            if (count != documentsOfTruth)
            {
                wrong.Add($"{what}: {field} {count} instead of {documentsOfTruth}");
            }
        }
    }

    /// <summary>The filter by feed leads to all hits of the feed.</summary>
    private async Task CheckFilterAsync(string feed, int hits)
    {
        List<JsonElement> alerts = await _server.AlertsAsync("feed=" + feed);
        Assert.All(alerts, a => Assert.Contains(feed, a.GetProperty("feeds").EnumerateArray().Select(f => f.GetString())));
        // An alert's other hits may be of other feeds.
        Assert.True(alerts.Sum(a => a.GetProperty("count").GetInt64()) >= hits, feed);
        Assert.Equal(hits == 0, alerts.Count == 0);
    }

    /// <summary>Makes one pulled feed of a text such as <c>feeds/csv/x.csv fieldNum 1</c>.</summary>
    private Task CreateAsync(int number, string feed, bool ips)
    {
        string[] words = feed.Split(' ');
        string path = $"/{number}/{Path.GetFileName(words[0])}";
        Uri url = _foreign.Serve(path, SharedData.Read(words[0]));
        var http = new JsonObject { ["url"] = url.ToString() };
        if (words is [_, "fieldNum", string column])
        {
            var csv = new JsonObject { ["fieldNum"] = int.Parse(column, System.Globalization.CultureInfo.InvariantCulture) };
            if (words[0].Contains(".intel", StringComparison.Ordinal))
            {
                csv["columnDelimiter"] = "\t";
                csv["commentDelimiter"] = "#";
            }
            http["format"] = new JsonObject { ["csv"] = csv };
        }
        else if (words is [_, string jsonPath])
        {
            http["format"] = new JsonObject { ["json"] = new JsonObject { ["path"] = jsonPath } };
        }
        return _server.CreateAsync(LiveServer.Manifest($"feed-{number}", ips ? "IPSet" : "DomainNameSet", new JsonObject { ["http"] = http }));
    }

    /// <summary>Posts a log in several bodies. Each record gets a key, since real ones repeat word for word.</summary>
    private async Task PostAsync(int log, Dictionary<string, JsonElement> documents)
    {
        string[] lines = Encoding.UTF8.GetString(SharedData.Read(s_logs[log])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = $"{{\"_key\":\"{log}-{i}\",{lines[i][1..]}";
            documents[$"{log}-{i}"] = JsonElement.Parse(lines[i]);
        }
        int accepted = 0;
        foreach (string[] part in lines.Chunk(LinesPerBody))
        {
            accepted += await _server.PostLogsAsync(s_logs[log].Contains("dns", StringComparison.Ordinal) ? "dns" : "flows", part);
        }
        Assert.Equal(lines.Length, accepted);
    }

#pragma warning disable CA1308 // Names are written in lower case.
    private static string Plain(string value) => value.ToLowerInvariant().TrimEnd('.');
#pragma warning restore CA1308
}
