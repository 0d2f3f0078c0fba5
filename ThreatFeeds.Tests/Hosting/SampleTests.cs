using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ThreatFeeds.Api.Demo;
using ThreatFeeds.Tests.House;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>The samples: made by the repository itself, and of nobody.</summary>
public sealed class SampleTests
{
    private static readonly DateTimeOffset s_moment = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The files of <c>samples/</c> that are made, with what they hold (unpacked).</summary>
    private static IEnumerable<(string Path, string Text)> Made()
    {
        foreach ((string name, string text) in SampleFeeds.Files)
        {
            yield return ($"feeds/{name}", text);
        }
        IReadOnlyList<SampleRecord> day = new SampleDay(s_moment).Between(s_moment - SampleDay.Length, s_moment);
        foreach ((LogKind kind, string name) in ((LogKind, string)[])[(LogKind.Dns, "dns"), (LogKind.Flow, "flows")])
        {
            yield return ($"logs/{name}.jsonl.gz", string.Concat(day.Where(r => r.Kind == kind).Select(r => r.Json.ToJsonString() + "\n")));
        }
    }

    [Fact]
    public void The_files_of_the_samples_are_what_makes_them()
    {
        foreach ((string path, string text) in Made())
        {
            string file = Path.Combine(Sources.Root, "samples", path);
            if (Environment.GetEnvironmentVariable("THREATFEEDS_WRITE_SAMPLES") == "1")
            {
                File.WriteAllBytes(file, path.EndsWith(".gz", StringComparison.Ordinal) ? Packed(text) : Encoding.UTF8.GetBytes(text));
            }
            byte[] bytes = File.ReadAllBytes(file);
            Assert.Equal(text, Encoding.UTF8.GetString(path.EndsWith(".gz", StringComparison.Ordinal) ? Unpacked(bytes) : bytes));
        }
    }

    [Fact]
    public void No_sample_names_anybody()
    {
        string[] texts = [.. Made().Select(m => m.Text)];
        string[] foreignNames = [.. texts.SelectMany(t => Regex.Matches(t, @"\b(?:[a-z0-9-]+\.)+(?<zone>[a-z]{2,})\b"))
            .Where(m => m.Groups["zone"].Value is not ("example" or "test" or "invalid" or "local" or "md")).Select(m => m.Value).Distinct()];
        Assert.Empty(foreignNames);
        IPNetwork[] allowed = [.. new[] { "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "10.42.0.0/16", "0.0.0.0/32", "127.0.0.1/32" }.Select(IPNetwork.Parse)];
        string[] foreignAddresses = [.. texts.SelectMany(t => Regex.Matches(t, @"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.:])"))
            .Select(m => m.Value).Where(v => !allowed.Any(n => n.Contains(IPAddress.Parse(v)))).Distinct()];
        Assert.Empty(foreignAddresses);
    }

    [Fact]
    public void A_day_is_the_same_whether_it_is_asked_for_at_once_or_in_parts()
    {
        var day = new SampleDay(s_moment);
        DateTimeOffset from = s_moment.AddHours(-2), to = s_moment.AddMinutes(10);
        List<string> parts = [];
        for (DateTimeOffset at = from; at < to; at += TimeSpan.FromSeconds(7))
        {
            DateTimeOffset next = at.AddSeconds(7) < to ? at.AddSeconds(7) : to;
            parts.AddRange(day.Between(at, next).Select(r => r.Json.ToJsonString()));
        }
        Assert.Equal(day.Between(from, to).Select(r => r.Json.ToJsonString()).Order(StringComparer.Ordinal), parts.Order(StringComparer.Ordinal));
        Assert.True(day.Between(s_moment, to).Count > 20, "records go on arriving");
    }

    [Fact]
    public void A_record_covers_the_five_minutes_before_its_flush()
    {
        IReadOnlyList<SampleRecord> records = new SampleDay(s_moment).Between(s_moment - SampleDay.Length, s_moment);
        Assert.InRange(records.Count, 2_000, 20_000);
        Assert.All(records, r =>
        {
            JsonNode json = r.Json;
            Assert.Equal(r.End.ToUnixTimeSeconds(), json["end_time"]!.GetValue<long>());
            Assert.Equal(300, json["end_time"]!.GetValue<long>() - json["start_time"]!.GetValue<long>());
        });
        Assert.Equal(records.OrderBy(r => r.End), records);
    }

    private static byte[] Packed(string text)
    {
        using var to = new MemoryStream();
        using (var zip = new GZipStream(to, CompressionLevel.SmallestSize))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }
        return to.ToArray();
    }

    private static byte[] Unpacked(byte[] bytes)
    {
        using var unzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var to = new MemoryStream();
        unzip.CopyTo(to);
        return to.ToArray();
    }
}
