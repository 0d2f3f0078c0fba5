using System.Text.Json.Nodes;

namespace ThreatFeeds.Api.OpenApi;

/// <param name="Call">Method and path as in the document, such as <c>GET /v1/alerts</c>; names of path parameters do not matter.</param>
/// <param name="Status">Of the response; null for the request's body.</param>
internal sealed record OperationExample(string Call, int? Status, JsonNode Value);

/// <summary>What calls are asked and answer, for readers of the API document.</summary>
internal static class Examples
{
    private const string Run = """{"id":"17","feed":"mass-scanners","trigger":"manual","startedAt":"2026-03-01T08:00:00Z","finishedAt":"2026-03-01T08:00:01Z","outcome":"replaced","accepted":1106,"added":12,"removed":3,"skipped":0,"refused":1,"message":null}""";
    private const string Alert = """
        {"id":"42","state":"open","severity":"high","description":"Pod shop/cart-7d9f asked for geo.example.net, which feed trackers lists","kind":"dns","cluster":"cluster",
         "indicator":"geo.example.net","feeds":["trackers"],"direction":"outbound","action":null,
         "workload":{"namespace":"shop","name":"cart-7d9f","aggregated":false,"labels":{"app":"cart"},"node":"node-1","ip":"10.0.1.4"},"peer":null,
         "firstSeen":"2026-03-01T07:00:00Z","lastSeen":"2026-03-01T08:00:00Z","count":3,"note":"","mitre":["T1071.004"]}
        """;
    private const string Hit = """{"id":"9f86d081884c7d659a2feaa0c55ad015","time":"2026-03-01T08:00:00Z","field":"qname","value":"geo.example.net","indicator":"geo.example.net","feeds":["trackers"],"record":{"qname":"geo.example.net","rcode":"NoError"}}""";
    private const string Ingestion = """{"accepted":998,"refused":2,"refusals":[{"line":17,"reason":"not a JSON object"},{"line":40,"reason":"qname is missing"}]}""";

    private static readonly OperationExample[] All =
    [
        Answer("POST /v1/feeds/preview", 200, """{"status":200,"bytes":39841,"format":"newlineDelimited","accepted":1106,"cleaned":{"comment":52},"skipped":0,"refused":{"notAnAddress":1},"samples":["5.101.0.0/16"],"refusals":[{"line":7,"text":"example","reason":"notAnAddress"}],"problems":[]}"""),
        Answer("POST /v1/feeds/{}/pull", 202, Run),
        Answer("GET /v1/feeds/{}/runs", 200, List(Run)),
        Answer("GET /v1/feeds/{}/indicators", 200, """{"items":["5.101.0.0/16","5.188.10.0/23"],"next":null}"""),
        Answer("GET /v1/alerts", 200, List(Alert)),
        Answer("GET /v1/alerts/{}", 200, Alert),
        Answer("GET /v1/alerts/{}/hits", 200, List(Hit)),
        Body("PATCH /v1/alerts/{}", """{"state":"acknowledged","note":"Asked the team."}"""),
        Answer("PATCH /v1/alerts/{}", 200, Alert),
        Body("PATCH /v1/alerts", """{"ids":["42","43"],"change":{"state":"dismissed"}}"""),
        Answer("POST /v1/logs/dns", 200, Ingestion),
        Answer("POST /v1/logs/flows", 200, Ingestion),
        Answer("GET /v1/searches", 200, """{"idle":false,"dropped":0,"sources":[{"name":"embedded/dns","kind":"dns","behind":1200,"lastReceivedAt":"2026-03-01T08:00:00Z"}],"lookBacks":[{"feed":"trackers","done":50000,"total":120000}],"setAside":1,"stalled":false,"gone":[],"setAsideNewest":[{"source":"embedded/dns","position":"7/41","reason":"The calico reader cannot decode it (FormatException).","at":"2026-03-01T07:58:00Z"}]}"""),
        Answer("GET /readyz", 200, """{"ready":true,"checks":[{"name":"database","ok":true,"reason":null}]}"""),
    ];

    public static IEnumerable<OperationExample> Of(string call)
    {
        string plain = System.Text.RegularExpressions.Regex.Replace(call, @"\{[^}]*\}", "{}");
        return All.Where(e => e.Call.Equals(plain, StringComparison.OrdinalIgnoreCase));
    }

    private static OperationExample Answer(string call, int status, string json) => new(call, status, JsonNode.Parse(json)!);

    private static OperationExample Body(string call, string json) => new(call, null, JsonNode.Parse(json)!);

    private static string List(string item) => $$"""{"items":[{{item}}],"next":null}""";
}
