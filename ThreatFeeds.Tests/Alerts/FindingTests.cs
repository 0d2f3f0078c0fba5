using ThreatFeeds.Alerts;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class FindingTests
{
    private static readonly Endpoint Pod = new("shop", "web-1", false, new Dictionary<string, string>(), "10.0.0.7", 40000, "wep");
    private static readonly Endpoint Far = new("", "", false, new Dictionary<string, string>(), "192.0.2.1", 443, "net");

    [Theory]
    [InlineData(HitField.DestinationIp, FlowAction.Allow, Direction.Outbound, Severity.Critical, "T1071")]
    [InlineData(HitField.DestinationIp, FlowAction.Deny, Direction.Outbound, Severity.Medium, "T1071")]
    [InlineData(HitField.SourceIp, FlowAction.Allow, Direction.Inbound, Severity.Medium, "T1190")]
    [InlineData(HitField.SourceIp, FlowAction.Deny, Direction.Inbound, Severity.Low, "T1595")]
    public void A_flow_is_rated_by_direction_and_action(HitField field, FlowAction action, Direction direction, Severity severity, string mitre)
    {
        bool outbound = field == HitField.DestinationIp;
        FoundHit hit = Hit(LogKind.Flow, field, new RecordDetails(null, outbound ? Pod : Far, outbound ? Far : Pod, action, false, null));

        Assert.Equal(new AlertKey(LogKind.Flow, "listed", "shop", "web-1", direction, action), hit.Key());
        Assert.Equal(severity, hit.Severity());
        Assert.Equal(mitre, Finding.Mitre(LogKind.Flow, direction, action));
    }

    [Theory]
    [InlineData(true, Severity.High)]
    [InlineData(false, Severity.Medium)]
    public void A_name_is_rated_by_whether_it_was_answered(bool answered, Severity severity)
    {
        FoundHit hit = Hit(LogKind.Dns, HitField.QueryName, new RecordDetails(null, Pod, Endpoint.Unknown, FlowAction.None, answered, null));

        Assert.Equal(new AlertKey(LogKind.Dns, "listed", "shop", "web-1", Direction.Outbound, FlowAction.None), hit.Key());
        Assert.Equal(severity, hit.Severity());
        Assert.Equal("T1071.004", Finding.Mitre(LogKind.Dns, Direction.Outbound, FlowAction.None));
    }

    [Fact]
    public void What_has_no_name_goes_by_its_address()
    {
        FoundHit hit = Hit(LogKind.Flow, HitField.DestinationIp, new RecordDetails(null, Far with { Ip = "10.9.9.9" }, Far, FlowAction.Allow, false, null));

        Assert.Equal("10.9.9.9", hit.Key().Workload);
    }

    [Fact]
    public void The_same_record_and_value_have_the_same_id_and_others_another()
    {
        FoundHit hit = Hit(LogKind.Dns, HitField.QueryName, new RecordDetails(null, Pod, Endpoint.Unknown, FlowAction.None, true, null));

        Assert.Equal(hit.Id(), (hit with { Field = HitField.RecordName, Feeds = ["other"] }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Value = "other" }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Position = new Position(1, 2) }).Id());
        Assert.NotEqual(hit.Id(), (hit with { Source = hit.Source with { Id = "other" } }).Id());
    }

    private static FoundHit Hit(LogKind kind, HitField field, RecordDetails details) =>
        new(new LogSource("s", "s", kind), new Position(1, 1), DateTimeOffset.UnixEpoch, field, "listed", "listed", ["one"], details, default);
}
