using System.Text;
using System.Text.Json;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

public sealed class CalicoReaderTests
{
    private readonly CalicoReader _reader = new();

    [Theory]
    [InlineData("source_ip", "\"192.0.2.1\"")]
    [InlineData("source_ips", "[\"192.0.2.1\"]")]
    [InlineData("source_name", "\"web-1\"")]
    [InlineData("source_name_aggr", "\"web-*\"")]
    [InlineData("dest_ip", "\"192.0.2.1\"")]
    [InlineData("dest_ips", "[\"192.0.2.1\"]")]
    [InlineData("dest_name", "\"web-1\"")]
    [InlineData("dest_name_aggr", "\"web-*\"")]
    public void Any_word_of_a_source_or_destination_makes_a_flow_record(string key, string value)
    {
        byte[] line = Encoding.UTF8.GetBytes($$"""{"start_time":1772352000,"{{key}}":{{value}}}""");
        Assert.True(_reader.Refuse(LogKind.Flow, line).IsNone);
        Assert.Contains("is a flow record", _reader.Refuse(LogKind.Dns, line).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"start_time":1,"qname":"a.example","rrsets":[]}""", "qname a.example")]
    [InlineData("""{"rrsets":[{"rdata":["x.example","1.2.3.4"],"name":"b.example","type":"CNAME"}],"qname":"A.example."}""", "qname A.example.|rr_name b.example|rdata x.example|rdata 1.2.3.4")]
    [InlineData("""{"qname":"a.example","rrsets":[{"name":"n","rdata":["10 mail.example."],"type":"mx"}]}""", "qname a.example|rr_name n|rdata 10 mail.example.|rdata mail.example.")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"n","type":"SOA","rdata":["ns.example. host.example. 1 2 3.5 4 5"]}]}""", "qname q|rr_name n|rdata ns.example. host.example. 1 2 3.5 4 5")]
    [InlineData("""{"qname":"q","rrsets":[{"type":"SOA","rdata":["ns.example.  host.example. 1 2 3 4 5 "]}]}""", "qname q|rdata ns.example.  host.example. 1 2 3 4 5 |rdata ns.example.|rdata host.example.")]
    [InlineData("""{"qname":"q","rrsets":[{"type":"SOA","rdata":["ns.example. host.example. 1 2 3 4", "ns.example. host.example. 1 2 3 4 5 6"]}]}""", "qname q|rdata ns.example. host.example. 1 2 3 4|rdata ns.example. host.example. 1 2 3 4 5 6")]
    [InlineData("""{"qname":"q","rrsets":[{"type":"SRV","rdata":["0 5 5060 sip.example.","5060 sip.example.","0 x 5060 sip.example."]}]}""", "qname q|rdata 0 5 5060 sip.example.|rdata sip.example.|rdata 5060 sip.example.|rdata 0 x 5060 sip.example.")]
    [InlineData("""{"qname":"q","rrsets":[{"type":"MX","rdata":["mail.example.","mail.example. 10"]},{"type":"CNAME","rdata":["a.example b.example"]}]}""", "qname q|rdata mail.example.|rdata mail.example. 10|rdata a.example b.example")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"n","type":"TXT","rdata":["see bad.example"]}]}""", "qname q|rr_name n|rdata see bad.example")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"n1","rdata":["d1"]},{"name":"n2","rdata":["d2"]}]}""", "qname q|rr_name n1|rr_name n2|rdata d1|rdata d2")]
    [InlineData("""{"qname":"b\u0061d.example"}""", "qname bad.example")]
    [InlineData("""{"qname":"\ud800.example","rrsets":[{"name":"n","rdata":["\udc00"]}]}""", "rr_name n")]
    [InlineData("""{"\u0071n\u0061me":"bad.example","rrset\u0073":[{"n\u0061me":"n","rd\u0061ta":["10 m.example"],"typ\u0065":"M\u0058"}]}""", "qname bad.example|rr_name n|rdata 10 m.example|rdata m.example")]
    [InlineData("""{"qname":"q","rrsets":[{"type":"S\u004fA","rdata":["ns.example. host.example. 1 2 3 4 5"]},{"type":"\u0073rv","rdata":["0 5 5060 sip.example"]}]}""", "qname q|rdata ns.example. host.example. 1 2 3 4 5|rdata ns.example.|rdata host.example.|rdata 0 5 5060 sip.example|rdata sip.example")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"first","name":"last","type":"MX","rdata":["1 no.example"],"rdata":["2 yes.example"],"type":"TXT"}]}""", "qname q|rr_name last|rdata 2 yes.example")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"first","name":null}]}""", "qname q")]
    [InlineData("""{"\ud800abc":1,"qname":"q"}""", "qname q")]
    [InlineData("""{"type":"unlogged","qname":"a.example"}""", "")]
    [InlineData("""{"type":"UNLOGG\u0045D","qname":"a.example"}""", "")]
    [InlineData("""{"type":"UNLOGGED","type":"LOG","qname":"a.example"}""", "qname a.example")]
    [InlineData("""{"qname":"a.example","type":"log"}""", "qname a.example")]
    [InlineData("""{"qname":"first","qname":"last"}""", "qname last")]
    [InlineData("""{"qname":null,"rrsets":null}""", "")]
    [InlineData("""{"qname":"-","rrsets":[null,1,"x",[{"name":"no"}],{"name":null,"rdata":null},{"name":5,"rdata":[null,1,{"a":[1]},["n"],"d"]}]}""", "rdata d")]
    [InlineData("""{"qname":"q","rrsets":[{"name":"n","rdata":"alone"}],"x":{"qname":"inner"}}""", "qname q|rr_name n|rdata alone")]
    [InlineData("""{"qname":"a.example","rrsets":[{"name":"b" """, "")]
    [InlineData("[]", "")]
    [InlineData("", "")]
    [InlineData("nonsense", "")]
    public void Values_of_dns_records(string line, string expected) => Assert.Equal(expected, Values(LogKind.Dns, line));

    [Theory]
    [InlineData("""{"dest_ip":"9.9.9.9","source_ip":"10.0.0.1"}""", "source_ip 10.0.0.1|dest_ip 9.9.9.9")]
    [InlineData("""{"dest_ip":null,"source_ip":"-"}""", "")]
    [InlineData("""{"dest_ip":null,"dest_ips":["1.1.1.1",null,"2.2.2.2"],"source_ips":["3.3.3.3"]}""", "source_ip 3.3.3.3|dest_ip 1.1.1.1|dest_ip 2.2.2.2")]
    [InlineData("""{"dest_ip":7,"source_ip":{"a":1},"dest_ips":"x"}""", "")]
    public void Values_of_flow_records(string line, string expected) => Assert.Equal(expected, Values(LogKind.Flow, line));

    [Theory]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\",\"start_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"type\":\"UNLOGGED\",\"start_time\":1,\"end_time\":2,\"count\":3}", null)]
    [InlineData(LogKind.Dns, "{\"type\":\"LOG\",\"start_time\":1}", "lacks qname")]
    [InlineData(LogKind.Dns, "{\"type\":\"UNLOGG\\u0045D\",\"start_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"\\u0071name\":\"a\",\"\\u0065nd_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"\\ud800name\":\"a\",\"qname\":\"a\",\"end_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"rrsets\":[{\"name\":\"a.example\"}],\"start_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"qname\":null,\"rrsets\":[1,{\"rdata\":[\"192.0.2.1\"]}],\"start_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"qname\":5,\"rrsets\":[1,{\"name\":null,\"rdata\":[]}],\"start_time\":1}", "lacks qname, and rrsets with a name or data")]
    [InlineData(LogKind.Dns, "{\"rrsets\":{\"name\":\"a.example\"},\"start_time\":1}", "lacks qname")]
    [InlineData(LogKind.Flow, "{\"rrsets\":[{\"name\":\"a.example\"}],\"start_time\":1}", "is a DNS record")]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\",\"end_time\":\"yesterday\",\"end_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\",\"end_time\":1,}", "not valid JSON (at byte 27)")]
    [InlineData(LogKind.Dns, "{", "not valid JSON (at byte 2)")]
    [InlineData(LogKind.Dns, "{\"a\":", "not valid JSON")]
    [InlineData(LogKind.Dns, "{\"source_ip\":\"1.2.3.4\",\"dest_ip\":null,\"start_time\":1}", "is a flow record")]
    [InlineData(LogKind.Flow, "{\"qname\":\"a\",\"start_time\":1}", "is a DNS record")]
    [InlineData(LogKind.Flow, "{}", "lacks a source")]
    [InlineData(LogKind.Flow, "{\"dest_ip\":null,\"end_time\":1}", null)]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\",\"end_time\":\"yesterday\"}", "end_time")]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\"}", "lacks a time")]
    [InlineData(LogKind.Dns, "{\"type\":\"UNLOGGED\"}", "lacks a time")]
    [InlineData(LogKind.Flow, "{\"dest_ip\":\"9.9.9.9\",\"start_time\":null,\"end_time\":\"-\"}", "lacks a time")]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\",\"@timestamp\":[1]}", "@timestamp")]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\"} x", "not valid JSON")]
    [InlineData(LogKind.Dns, "{\"qname\":\"a\"", "not valid JSON")]
    [InlineData(LogKind.Dns, "[1]", "not a JSON object")]
    [InlineData(LogKind.Dns, "\"text\"", "not a JSON object")]
    [InlineData(LogKind.Dns, "hello", "not valid JSON")]
    public void What_is_refused_and_why(LogKind kind, string line, string? reason)
    {
        string said = _reader.Refuse(kind, Encoding.UTF8.GetBytes(line)).ToString();
        if (reason is null)
        {
            Assert.Equal("", said);
        }
        else
        {
            Assert.Contains(reason, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_and_nesting_without_end_are_refused()
    {
        Assert.Contains("UTF-8", _reader.Refuse(LogKind.Dns, [(byte)'{', 0xFF, (byte)'}']).ToString(), StringComparison.Ordinal);
        string deep = "{\"qname\":\"a\",\"x\":" + new string('[', 5000);
        Assert.False(_reader.Refuse(LogKind.Dns, Encoding.UTF8.GetBytes(deep)).IsNone);
        Assert.Equal("", Values(LogKind.Dns, deep));
    }

    [Theory]
    [InlineData("\"2026-01-02T03:04:05Z\"", "2026-01-02T03:04:05Z")]
    [InlineData("\"2026-01-02T05:04:05.123456789+02:00\"", "2026-01-02T03:04:05.1234568Z")]
    [InlineData("1767323045", "2026-01-02T03:04:05Z")]
    [InlineData("1767323045.5", "2026-01-02T03:04:05.5Z")]
    [InlineData("1.767323045e9", "2026-01-02T03:04:05Z")]
    [InlineData("\"1767323045\"", "2026-01-02T03:04:05Z")]
    [InlineData("1767323045123", "2026-01-02T03:04:05.123Z")]
    [InlineData("\"1767323045123\"", "2026-01-02T03:04:05.123Z")]
    [InlineData("1767323045123456", "2026-01-02T03:04:05.123456Z")]
    [InlineData("1767323045123456789", "2026-01-02T03:04:05.1234568Z")]
    [InlineData("\"-\"", null)]
    [InlineData("\"soon\"", null)]
    [InlineData("1e300", null)]
    [InlineData("null", null)]
    [InlineData("true", null)]
    public void Times_in_every_form(string text, string? expected)
    {
        RecordDetails details = Details(LogKind.Dns, $"{{\"qname\":\"a\",\"end_time\":{text}}}");
        Assert.Equal(expected is null ? null : DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), details.Time);
    }

    [Fact]
    public void The_end_of_the_interval_comes_before_its_start_and_the_time_stamp()
    {
        Assert.Equal(20, Details(LogKind.Flow, """{"@timestamp":30000,"start_time":10,"end_time":20}""").Time!.Value.ToUnixTimeSeconds());
        Assert.Equal(10, Details(LogKind.Flow, """{"@timestamp":1767323045123,"start_time":10,"end_time":null}""").Time!.Value.ToUnixTimeSeconds());
        Assert.Equal(1767323045, Details(LogKind.Flow, """{"@timestamp":1767323045123}""").Time!.Value.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData("""{"client_name":"web-1","client_name_aggr":"web-*"}""", "web-1", false)]
    [InlineData("""{"client_name":"-","client_name_aggr":"web-*"}""", "web-*", true)]
    [InlineData("""{"client_name":null,"client_name_aggr":"web-*"}""", "web-*", true)]
    [InlineData("""{"client_name":"web-*"}""", "web-*", true)]
    [InlineData("""{"client_name_aggr":"web"}""", "web", true)]
    [InlineData("""{"client_name":"-","client_name_aggr":"pvt"}""", "", false)]
    [InlineData("""{"client_name":"pub"}""", "", false)]
    [InlineData("{}", "", true)]
    public void A_pod_is_named_only_when_the_record_names_it(string line, string name, bool aggregated)
    {
        Endpoint client = Details(LogKind.Dns, line).Source;
        Assert.Equal((name, aggregated), (client.Name, client.Aggregated));
    }

    [Theory]
    [InlineData("""{"app":"web","n":5,"empty":""}""", "app=web|empty=")]
    [InlineData("""["app=web","flag","a=b=c",null]""", "a=b=c|app=web|flag=")]
    [InlineData("""{"labels":["app=web"]}""", "app=web")]
    [InlineData("""{"labels":"a label of this name"}""", "labels=a label of this name")]
    [InlineData("null", "")]
    [InlineData("7", "")]
    public void Labels_in_every_form(string labels, string expected)
    {
        Endpoint client = Details(LogKind.Dns, $"{{\"client_labels\":{labels}}}").Source;
        Assert.Equal(expected, string.Join('|', client.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")));
    }

    [Fact]
    public void A_flow_gives_both_sides()
    {
        RecordDetails d = Details(LogKind.Flow, """
            {"source_ip":"10.0.0.1","source_name":"-","source_name_aggr":"web-*","source_namespace":"shop","source_port":"4000","source_type":"wep",
             "dest_ip":"9.9.9.9","dest_name":"-","dest_name_aggr":"pub","dest_namespace":"-","dest_type":"net","dest_port":443,"action":"Deny","host":"node-1"}
            """);
        Assert.Equal(("shop", "web-*", true, "10.0.0.1", 4000, "wep"), (d.Source.Namespace, d.Source.Name, d.Source.Aggregated, d.Source.Ip, d.Source.Port, d.Source.Type));
        Assert.Equal(("", "", false, "9.9.9.9", 443, "net"), (d.Destination.Namespace, d.Destination.Name, d.Destination.Aggregated, d.Destination.Ip, d.Destination.Port, d.Destination.Type));
        Assert.Equal((FlowAction.Deny, false, "node-1"), (d.Action, d.Answered, d.Node));
    }

    [Theory]
    [InlineData("""{"rcode":"NOERROR","rrsets":[{"rdata":["1.2.3.4"]}]}""", true)]
    [InlineData("""{"rcode":"NoError","rrsets":[{"rdata":[]}]}""", false)]
    [InlineData("""{"rcode":"NoError"}""", false)]
    [InlineData("""{"rcode":"NXDomain","rrsets":[{"rdata":["soa"]}]}""", false)]
    public void A_query_is_answered_by_data_without_error(string line, bool answered) => Assert.Equal(answered, Details(LogKind.Dns, line).Answered);

    [Theory]
    [InlineData("""{"\u0061ction":"d\u0065ny","\u0073ource_name":"w\u0065b-1","end_time":"2\u0030"}""")]
    [InlineData("""{"\ud800bcdef":1,"action":"Deny","\udc00urce_name":2,"source_name":"web-1","end_time":20,"\ud800":1,"end_tim\ud800":1}""")]
    public void Details_are_read_through_escapes_and_past_keys_that_are_no_text(string line)
    {
        RecordDetails d = Details(LogKind.Flow, line);
        Assert.Equal((FlowAction.Deny, "web-1", 20L), (d.Action, d.Source.Name, d.Time?.ToUnixTimeSeconds()));
    }

    [Theory]
    [InlineData("""{"rc\u006fde":"NoErr\u006fr","rrsets":[{"rd\u0061ta":["1.2.3.4"]}]}""")]
    [InlineData("""{"\ud800ode":1,"rcode":"NoError","rrsets":[{"\ud800ata":1,"rdata":["1.2.3.4"]}]}""")]
    public void An_answer_is_seen_through_escapes(string line) => Assert.True(Details(LogKind.Dns, line).Answered);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\":")]
    public void Details_of_what_cannot_be_read_are_empty(string line) => Assert.Null(Details(LogKind.Dns, line).Time);

    [SharedDataTheory]
    [InlineData("logs/calico/derived-dns-lab.jsonl.gz", LogKind.Dns, 353, 0)]
    [InlineData("logs/calico/derived-dns-wrccdc.jsonl.gz", LogKind.Dns, 9988, 0)]
    [InlineData("logs/calico/derived-flows.jsonl.gz", LogKind.Flow, 2294, 0)]
    [InlineData("logs/calico/flow-log-examples.jsonl", LogKind.Flow, 4, 2)]
    public void Every_real_record_is_read_as_a_json_document_says(string file, LogKind kind, int records, int withoutTime)
    {
        int count = 0;
        int refused = 0;
        foreach (string line in Encoding.UTF8.GetString(SharedData.Read(file)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            count++;
            if (_reader.Refuse(kind, Encoding.UTF8.GetBytes(line)) is { IsNone: false } fault)
            {
                Assert.StartsWith("lacks a time", fault.ToString(), StringComparison.Ordinal);
                refused++;
            }
            using JsonDocument document = JsonDocument.Parse(line);
            // Words within data are checked above; here each value by its place.
            var expected = (kind == LogKind.Dns ? Dns(document.RootElement) : Flow(document.RootElement)).ToList();
            var given = Values(kind, line).Split('|', StringSplitOptions.RemoveEmptyEntries).ToList();
            Assert.Equal(expected, given.Where(expected.Contains));
            Assert.All(given.Except(expected), v => Assert.StartsWith("rdata ", v, StringComparison.Ordinal));
        }
        Assert.Equal((records, withoutTime), (count, refused));
    }

    private static IEnumerable<string> Dns(JsonElement record)
    {
        JsonElement[] sets = [.. record.GetProperty("rrsets").EnumerateArray()];
        return new[] { $"qname {record.GetProperty("qname").GetString()}" }
            .Concat(sets.Select(s => $"rr_name {s.GetProperty("name").GetString()}"))
            .Concat(sets.SelectMany(s => s.GetProperty("rdata").EnumerateArray().Select(d => $"rdata {d.GetString()}")))
            .Where(v => !v.EndsWith(" -", StringComparison.Ordinal) && !v.EndsWith(' ') && !v.Contains('|', StringComparison.Ordinal));
    }

    private static IEnumerable<string> Flow(JsonElement record) => new[] { "source_ip", "dest_ip" }
        .Where(f => record.TryGetProperty(f, out JsonElement ip) && ip.ValueKind == JsonValueKind.String)
        .Select(f => $"{f} {record.GetProperty(f).GetString()}");

    private string Values(LogKind kind, string line)
    {
        var sink = new Collector();
        _reader.ReadValues(kind, Encoding.UTF8.GetBytes(line), sink);
        return string.Join('|', sink.Values);
    }

    private RecordDetails Details(LogKind kind, string line) => _reader.ReadDetails(kind, Encoding.UTF8.GetBytes(line));

    private sealed class Collector : IValueSink
    {
        public List<string> Values { get; } = [];

        public void Name(HitField field, ReadOnlySpan<byte> name) => Values.Add($"{Word.Of(field)} {Encoding.UTF8.GetString(name)}");

        public void Address(HitField field, ReadOnlySpan<byte> address) => Values.Add($"{Word.Of(field)} {Encoding.UTF8.GetString(address)}");
    }
}
