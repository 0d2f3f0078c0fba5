using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class FindingTests
{
    private static readonly Endpoint Pod = new("shop", "web-1", false, new Dictionary<string, string>(), "10.0.0.7", 40000, "wep");
    private static readonly Endpoint Far = new("", "", false, new Dictionary<string, string>(), "192.0.2.1", 443, "net");

    [Theory]
    [InlineData("dest_ip", "allow", "outbound", "critical", "T1071")]
    [InlineData("dest_ip", "deny", "outbound", "medium", "T1071")]
    [InlineData("source_ip", "allow", "inbound", "medium", "T1190")]
    [InlineData("source_ip", "deny", "inbound", "low", "T1595")]
    public void A_flow_is_rated_by_direction_and_action(string field, string action, string direction, string severity, string mitre)
    {
        bool outbound = field == "dest_ip";
        FoundHit hit = Hit(LogKind.Flow, field, new RecordDetails(null, outbound ? Pod : Far, outbound ? Far : Pod, action, false, null));

        Assert.Equal(new AlertKey("flow", "listed", "shop", "web-1", direction, action), hit.Key());
        Assert.Equal(severity, Finding.SeverityWord(hit.Severity()));
        Assert.Equal(mitre, Finding.Mitre("flow", direction, action));
    }

    [Theory]
    [InlineData(true, "high")]
    [InlineData(false, "medium")]
    public void A_name_is_rated_by_whether_it_was_answered(bool answered, string severity)
    {
        FoundHit hit = Hit(LogKind.Dns, "qname", new RecordDetails(null, Pod, Endpoint.Unknown, "", answered, null));

        Assert.Equal(new AlertKey("dns", "listed", "shop", "web-1", "outbound", ""), hit.Key());
        Assert.Equal(severity, Finding.SeverityWord(hit.Severity()));
        Assert.Equal("T1071.004", Finding.Mitre("dns", "outbound", ""));
    }

    [Fact]
    public void What_has_no_name_goes_by_its_address()
    {
        FoundHit hit = Hit(LogKind.Flow, "dest_ip", new RecordDetails(null, Far with { Ip = "10.9.9.9" }, Far, "allow", false, null));

        Assert.Equal("10.9.9.9", hit.Key().Workload);
    }

    [Fact]
    public void The_same_record_and_value_have_the_same_id_and_others_another()
    {
        FoundHit hit = Hit(LogKind.Dns, "qname", new RecordDetails(null, Pod, Endpoint.Unknown, "", true, null));

        Assert.Equal(hit.Id(), (hit with { Field = "rr_name", Feeds = ["other"] }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Value = "other" }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Position = new Position(1, 2) }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Source = hit.Source with { Id = "other" } }).Id());
    }

    private static FoundHit Hit(LogKind kind, string field, RecordDetails details) =>
        new(new LogSource("s", "s", kind), new Position(1, 1), DateTimeOffset.UnixEpoch, field, "listed", "listed", ["one"], details, []);
}
