using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>A running server as a client sees it: HTTP only.</summary>
internal sealed class LiveServer(HttpClient client)
{
    public const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    public static JsonObject Manifest(string name, string content, JsonObject? pull = null)
    {
        var spec = new JsonObject { ["content"] = content };
        if (pull is not null)
        {
            spec["pull"] = pull;
        }
        return new JsonObject { ["apiVersion"] = "projectcalico.org/v3", ["kind"] = "GlobalThreatFeed", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec };
    }

    public async Task CreateAsync(JsonObject manifest)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync(Feeds, manifest);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
    }

    public async Task PushNamesAsync(string feed, IEnumerable<string> names)
    {
        var document = new JsonObject { ["domains"] = new JsonArray([.. names.Select(n => (JsonNode)n)]) };
        using HttpResponseMessage answer = await client.PutAsJsonAsync($"/elasticsearch/.tigera.domainnameset.cluster/_doc/{feed}", document);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <param name="kind"><c>dns</c> or <c>flows</c>.</param>
    /// <returns>How many were accepted; none may be refused.</returns>
    public async Task<int> PostLogsAsync(string kind, IEnumerable<string> lines)
    {
        using var body = new MemoryStream();
        await using (var zip = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true))
        {
            await zip.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        }
        using var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage answer = await client.PostAsync("/v1/logs/" + kind, content);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        JsonNode ingestion = JsonNode.Parse(text)!;
        Assert.True(ingestion["refused"]!.GetValue<int>() == 0, text);
        return ingestion["accepted"]!.GetValue<int>();
    }

    /// <summary>Waits until everything kept has been compared with everything listed.</summary>
    public async Task WhenIdleAsync(TimeSpan atMost)
    {
        string state = "";
        await UntilAsync(async () =>
        {
            state = await client.GetStringAsync("/v1/searches");
            return JsonNode.Parse(state)!["idle"]!.GetValue<bool>();
        }, atMost, () => "not idle: " + state);
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan atMost, Func<string> otherwise)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < atMost, otherwise());
            await Task.Delay(s_pause, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <param name="filter">Such as <c>feed=one</c>; empty for all.</param>
    public Task<List<JsonElement>> AlertsAsync(string filter = "") => PagesAsync($"/v1/alerts?limit=500&{filter}");

    public Task<List<JsonElement>> HitsAsync(JsonElement alert) => PagesAsync($"/v1/alerts/{alert.GetProperty("id").GetString()}/hits?limit=500");

    public async Task<List<JsonElement>> AllHitsAsync()
    {
        var hits = new List<JsonElement>();
        foreach (JsonElement alert in await AlertsAsync())
        {
            List<JsonElement> own = await HitsAsync(alert);
            Assert.Equal(alert.GetProperty("count").GetInt64(), own.Count);
            hits.AddRange(own);
        }
        return hits;
    }

    public async Task<JsonElement> GetAsync(string path) => await client.GetFromJsonAsync<JsonElement>(path);

    public static string DnsRecord(string name, int number) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"start_time":1767322745,"end_time":1767323045,"type":"LOG","count":1,"client_ip":"10.0.0.7","client_name":"web-{{number % 3}}","client_name_aggr":"web-*","client_namespace":"shop","qname":"{{name}}","qclass":"IN","qtype":"A","rcode":"NoError","rrsets":[]}""");

    private async Task<List<JsonElement>> PagesAsync(string path)
    {
        var items = new List<JsonElement>();
        string? next = null;
        do
        {
            JsonElement page = await GetAsync(path + (next is null ? "" : "&after=" + Uri.EscapeDataString(next)));
            items.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
        return items;
    }
}
