using System.IO.Compression;
using System.Net;
using System.Text.Json;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>
/// Data folders that earlier versions left behind, kept in <c>ThreatFeeds.Tests/DataFolders</c>: the newest process opens each with nothing lost.
/// <c>first.zip</c> was made by commit 9588288, killed in the middle of looking back: 6,075 DNS records (6,031 of them in a segment that was never
/// sealed) and 22 flows, three feeds, five runs, six hits with their alerts, keys <c>old-key-1</c> to <c>old-key-3</c>, and one look-back to do that finds one more.
/// </summary>
public sealed class DataFolderTests
{
    [Fact]
    public async Task The_first_version_s_folder_opens_with_nothing_lost_and_goes_on()
    {
        using var folder = new TemporaryFolder();
        await ZipFile.ExtractToDirectoryAsync(Path.Combine(SharedData.RepositoryRoot, "ThreatFeeds.Tests", "DataFolders", "first.zip"), folder.Path);
        for (int start = 0; start < 2; start++)
        {
            // Its dates stay, so that it is as old as it is.
            using LiveProcess process = LiveProcess.Start("--data", folder.Path, "--set", "Cluster:Name=old", "--set", "Data:RetentionDays=3650", "--set", "Alerts:RetentionDays=3650");
            Uri? address = await process.ListeningAsync();
            Assert.True(address is not null, process.Output);
            Assert.Contains($"{6097 + start} records in", process.Output, StringComparison.Ordinal);
            using var client = new HttpClient { BaseAddress = address };
            var server = new LiveServer(client);
            await server.WhenIdleAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(0, (await server.GetAsync("/v1/searches")).GetProperty("dropped").GetInt64());
            await CheckFeedsAsync(server);

            List<string> expected = ["192.0.2.5", "198.51.100.7", "bad.example", "bad.example", "late.example", "tail7.example", "worse.example"];
            if (start > 0)
            {
                expected.Add("bad.example");
            }
            List<JsonElement> hits = await server.AllHitsAsync();
            Assert.Equal(expected.Order(StringComparer.Ordinal), hits.Select(h => h.GetProperty("value").GetString()!).Order(StringComparer.Ordinal));
            Assert.All(hits, h => Assert.Equal(JsonValueKind.Object, h.GetProperty("record").ValueKind));

            await CheckKeyAsync(client, folder);
            if (start == 0)
            {
                Assert.Equal(1, await server.PostLogsAsync("dns", [LiveServer.DnsRecord("bad.example", 1)]));
                await server.WhenIdleAsync(TimeSpan.FromSeconds(60));
                Assert.Equal(8, (await server.AllHitsAsync()).Count);
            }
            await process.KillAsync();
        }
    }

    private static async Task CheckFeedsAsync(LiveServer server)
    {
        JsonElement feeds = (await server.GetAsync(LiveServer.Feeds)).GetProperty("items");
        Assert.Equal(["addresses", "names", "off"], feeds.EnumerateArray().Select(f => f.GetProperty("metadata").GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(4, (await server.GetAsync("/v1/feeds/names/indicators")).GetProperty("items").GetArrayLength());
        Assert.Equal(3, (await server.GetAsync("/v1/feeds/names/runs")).GetProperty("items").GetArrayLength());
    }

    private static async Task CheckKeyAsync(HttpClient client, TemporaryFolder folder)
    {
        byte[] body = await File.ReadAllBytesAsync(Path.Combine(folder.Path, "sent-under-old-key-2.ndjson"));
        using HttpResponseMessage again = await SendAsync(body);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(22, JsonDocument.Parse(await again.Content.ReadAsStringAsync()).RootElement.GetProperty("accepted").GetInt32());
        using HttpResponseMessage other = await SendAsync(body[..^100]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);

        async Task<HttpResponseMessage> SendAsync(byte[] bytes)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/logs/flows") { Content = new ByteArrayContent(bytes) };
            request.Headers.Add("Idempotency-Key", "old-key-2");
            return await client.SendAsync(request);
        }
    }
}
