using System.Globalization;
using static ThreatFeeds.Api.Demo.SampleCluster;
using static ThreatFeeds.Api.Demo.SampleRecords;

namespace ThreatFeeds.Api.Demo;

/// <summary>
/// What happens in the made-up cluster, told in hours before the moment the demo begins. Each thing is there to be seen in the console:
/// a build runner that asks a command server and then connects to it, a slow exfiltration by DNS, a scan from outside that policy denies, a noisy false alarm,
/// a record that aggregation took the pod's name from, an answer that leads to a listed name, and a contact with a server that no list knows before the demo has begun.
/// </summary>
internal static class SampleStory
{
    /// <summary>Asked by the build runner; on the list command-servers.</summary>
    public const string CommandServer = "updates.cdn-sync.example";

    /// <summary>Where the command server is; on the list botnet-addresses.</summary>
    public const string CommandAddress = "203.0.113.66";

    /// <summary>Names below it carry data out; on the list command-servers, which matches subdomains.</summary>
    public const string Tunnel = "notes-archive.example";

    /// <summary>Scans the shop; within a network of the list scanners.</summary>
    public const string Scanner = "198.51.100.23";

    /// <summary>Harmless, and asked all day; on the list trackers.</summary>
    public const string FalseAlarm = "metrics.node-telemetry.example";

    /// <summary>On the list trackers; only an alias leads to it.</summary>
    public const string Alias = "edge.ad-mesh.example";

    /// <summary>On the list phishing, asked by some replica of the cart.</summary>
    public const string Phishing = "login.parcel-track.example";

    /// <summary>On the list phishing, asked for the first time a minute and a half after the demo has begun.</summary>
    public const string NewPhishing = "account.card-check.test";

    /// <summary>No list knows it until an analyst pushes it to the feed incident-response.</summary>
    public const string LateServer = "drop.quiet-harbor.example";

    private const string LateAddress = "203.0.113.140";

    /// <summary>All of it that is flushed until then, in no order.</summary>
    public static IEnumerable<SampleRecord> Until(DateTimeOffset moment, DateTimeOffset to)
    {
        foreach (DateTimeOffset at in Every(moment.AddHours(-5), TimeSpan.FromMinutes(10), to))
        {
            yield return Dns(at, Runner, CommandServer, "A", 1, (CommandServer, "A", CommandAddress));
            yield return Outbound(at.AddSeconds(20), Runner, CommandAddress, 443, 1, 1_400);
        }
        int part = 0;
        foreach (DateTimeOffset at in Every(moment.AddHours(-8).AddMinutes(4), TimeSpan.FromMinutes(6), to))
        {
            string name = $"{(0x5DEECE66DL * ++part) & 0xFFFFFFFFFFL:x10}.{part.ToString(CultureInfo.InvariantCulture)}.{Tunnel}";
            yield return Dns(at, Ledger, name, "TXT", 1, (name, "TXT", "ok"));
        }
        int[] ports = [22, 23, 80, 443, 3306, 5432, 6379, 8080, 8443, 9200];
        DateTimeOffset scan = moment.AddHours(-3).AddMinutes(-12);
        foreach (int port in ports)
        {
            scan = scan.AddSeconds(9);
            yield return Inbound(scan, Scanner, Frontend, port, 4, "deny");
            yield return Inbound(scan.AddSeconds(2), Scanner, Checkout, port, 3, "deny");
        }
        foreach (DateTimeOffset at in Every(moment.AddHours(-23).AddMinutes(-50), TimeSpan.FromMinutes(5), to))
        {
            yield return Dns(at, Metrics, FalseAlarm, "A", 10, (FalseAlarm, "A", "192.0.2.150"));
        }
        yield return AggregatedDns(moment.AddHours(-2).AddMinutes(-5), Cart, Phishing, "A", 14, (Phishing, "A", "192.0.2.171"));
        foreach (int hours in (int[])[-11, -7, -4, -1])
        {
            yield return Dns(moment.AddHours(hours).AddMinutes(21), Frontend, "assets.partner-widgets.example", "A", 3,
                ("assets.partner-widgets.example", "CNAME", Alias), (Alias, "A", "192.0.2.160"));
        }
        foreach (double hours in (double[])[-9.4, -9.1, -6.3])
        {
            yield return Dns(moment.AddHours(hours), Export, LateServer, "A", 1, (LateServer, "A", LateAddress));
            yield return Outbound(moment.AddHours(hours).AddSeconds(5), Export, LateAddress, 443, 1, 48_000_000);
        }
        yield return Dns(moment.AddSeconds(90), Dashboards, NewPhishing, "A", 1, (NewPhishing, "A", "192.0.2.172"));
    }

    private static IEnumerable<DateTimeOffset> Every(DateTimeOffset first, TimeSpan step, DateTimeOffset to)
    {
        for (DateTimeOffset at = first; at <= to; at += step)
        {
            yield return at;
        }
    }
}
