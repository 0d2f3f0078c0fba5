using System.Text.Json.Nodes;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.Demo;

/// <summary>Writes what a pod did as Calico would log it: each record covers the five minutes before it is flushed.</summary>
internal static class SampleRecords
{
    /// <summary>Calico's default flush interval.</summary>
    public static readonly TimeSpan Flush = TimeSpan.FromMinutes(5);

    /// <summary>A question to the cluster's DNS and its answer; no answer makes it NXDomain.</summary>
    public static SampleRecord Dns(DateTimeOffset end, SamplePod client, string name, string type, int count, params (string Name, string Type, string Data)[] answers) =>
        Dns(end, new JsonObject
        {
            ["client_ip"] = client.Ip,
            ["client_name"] = client.Name,
            ["client_name_aggr"] = client.Aggregate,
            ["client_namespace"] = client.Namespace,
            ["client_labels"] = Labels(client),
        }, name, type, count, answers);

    /// <summary>The same from a cluster that aggregates: which replica asked is not known.</summary>
    public static SampleRecord AggregatedDns(DateTimeOffset end, SamplePod client, string name, string type, int count, params (string Name, string Type, string Data)[] answers) =>
        Dns(end, new JsonObject
        {
            ["client_ip"] = null,
            ["client_name"] = "-",
            ["client_name_aggr"] = client.Aggregate,
            ["client_namespace"] = client.Namespace,
            ["client_labels"] = Labels(client),
        }, name, type, count, answers);

    /// <summary>A flow between two pods.</summary>
    public static SampleRecord Inside(DateTimeOffset end, SamplePod from, SamplePod to, int port, int flows, long bytes) =>
        Flow(end, from.Node, Ends(Source(from), Destination(to)), "tcp", port, "allow", "src", flows, bytes);

    /// <summary>A flow from a pod to an address outside.</summary>
    public static SampleRecord Outbound(DateTimeOffset end, SamplePod from, string address, int port, int flows, long bytes, string action = "allow") =>
        Flow(end, from.Node, Ends(Source(from), Outside("dest", address)), "tcp", port, action, "src", flows, bytes);

    /// <summary>A flow from an address outside to a pod.</summary>
    public static SampleRecord Inbound(DateTimeOffset end, string address, SamplePod to, int port, int flows, string action) =>
        Flow(end, to.Node, Ends(Outside("source", address), Destination(to)), "tcp", port, action, "dst", flows, 60L * flows);

    private static SampleRecord Dns(DateTimeOffset end, JsonObject client, string name, string type, int count, (string Name, string Type, string Data)[] answers)
    {
        JsonObject record = Times(end);
        record["type"] = "LOG";
        record["count"] = count;
        Merge(record, client);
        record["qname"] = name;
        record["qclass"] = "IN";
        record["qtype"] = type;
        record["rcode"] = answers.Length > 0 ? "NoError" : "NXDomain";
        record["rrsets"] = new JsonArray([.. answers.GroupBy(a => (a.Name, a.Type)).Select(set => new JsonObject
        {
            ["name"] = set.Key.Name,
            ["class"] = "IN",
            ["type"] = set.Key.Type,
            ["rdata"] = new JsonArray([.. set.Select(a => JsonValue.Create(a.Data))]),
        })]);
        SamplePod dns = SampleCluster.Dns;
        record["servers"] = new JsonArray(new JsonObject { ["ip"] = dns.Ip, ["name"] = dns.Name, ["name_aggr"] = dns.Aggregate, ["namespace"] = dns.Namespace });
        record["latency_count"] = count;
        record["latency_mean"] = 1_200_000;
        record["latency_max"] = 4_800_000;
        return new SampleRecord(LogKind.Dns, end, record);
    }

    private static SampleRecord Flow(DateTimeOffset end, string host, JsonObject ends, string protocol, int port, string action, string reporter, int flows, long bytes)
    {
        JsonObject record = Times(end);
        record["host"] = host;
        Merge(record, ends);
        record["source_port"] = null;
        record["dest_port"] = port;
        record["proto"] = protocol;
        record["action"] = action;
        record["reporter"] = reporter;
        record["num_flows"] = flows;
        record["num_flows_started"] = flows;
        record["num_flows_completed"] = flows;
        record["bytes_out"] = bytes;
        record["bytes_in"] = action == "allow" ? bytes / 3 : 0;
        record["packets_out"] = (bytes / 900) + flows;
        record["packets_in"] = action == "allow" ? (bytes / 1200) + flows : 0;
        return new SampleRecord(LogKind.Flow, end, record);
    }

    private static JsonObject Times(DateTimeOffset end) => new()
    {
        ["start_time"] = (end - Flush).ToUnixTimeSeconds(),
        ["end_time"] = end.ToUnixTimeSeconds(),
    };

    private static JsonObject Source(SamplePod pod) => Workload("source", pod);

    private static JsonObject Destination(SamplePod pod) => Workload("dest", pod);

    private static JsonObject Workload(string end, SamplePod pod) => new()
    {
        [$"{end}_ip"] = pod.Ip,
        [$"{end}_name"] = pod.Name,
        [$"{end}_name_aggr"] = pod.Aggregate,
        [$"{end}_namespace"] = pod.Namespace,
        [$"{end}_type"] = "wep",
        [$"{end}_labels"] = Labels(pod),
    };

    private static JsonObject Outside(string end, string address) => new()
    {
        [$"{end}_ip"] = address,
        [$"{end}_name"] = "-",
        [$"{end}_name_aggr"] = "pub",
        [$"{end}_namespace"] = "-",
        [$"{end}_type"] = "net",
    };

    private static JsonObject Ends(JsonObject from, JsonObject to)
    {
        Merge(from, to);
        return from;
    }

    private static JsonObject Labels(SamplePod pod) => new() { ["labels"] = new JsonArray($"app={pod.App}") };

    private static void Merge(JsonObject into, JsonObject more)
    {
        foreach ((string key, JsonNode? value) in more)
        {
            into[key] = value?.DeepClone();
        }
    }
}
