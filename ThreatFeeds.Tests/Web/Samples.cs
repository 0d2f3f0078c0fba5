using System.Net;
using System.Text.Json.Nodes;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Web;

/// <summary>What the browser tests send to the process from outside.</summary>
internal static class Samples
{
    public const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";

    public static JsonObject Feed(string name, Uri url, string description = "") => new()
    {
        ["apiVersion"] = "projectcalico.org/v3",
        ["kind"] = "GlobalThreatFeed",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["content"] = "DomainNameSet",
            ["description"] = description,
            ["pull"] = new JsonObject { ["period"] = "1h", ["http"] = new JsonObject { ["url"] = url.ToString() } },
        },
    };

    /// <summary>A DNS record as Calico writes it, of now.</summary>
    public static JsonObject Query(string name, string pod, string @namespace = "shop", string label = "checkout")
    {
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["start_time"] = now, ["end_time"] = now, ["type"] = "log", ["count"] = 1,
            ["client_name"] = pod, ["client_name_aggr"] = pod, ["client_namespace"] = @namespace, ["client_ip"] = "10.48.116.151",
            ["client_labels"] = new JsonObject { ["app"] = label },
            ["qname"] = name, ["qclass"] = "IN", ["qtype"] = "A", ["rcode"] = "NoError",
            ["rrsets"] = new JsonArray(new JsonObject { ["name"] = name, ["class"] = "IN", ["type"] = "A", ["rdata"] = new JsonArray("203.0.113.80") }),
            ["servers"] = new JsonArray(),
        };
    }

    public static async Task CreateAsync(this AppFixture app, JsonObject feed)
    {
        using HttpResponseMessage answer = await app.SendAsync(HttpMethod.Post, Feeds, feed.ToJsonString(), "application/json");
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    public static async Task PostAsync(this AppFixture app, params JsonObject[] records)
    {
        string lines = string.Concat(records.Select(r => r.ToJsonString() + "\n"));
        using HttpResponseMessage answer = await app.SendAsync(HttpMethod.Post, "/v1/logs/dns", lines, "application/x-ndjson");
        JsonNode counts = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal((HttpStatusCode.OK, records.Length, 0), (answer.StatusCode, (int)counts["accepted"]!, (int)counts["refused"]!));
    }
}
